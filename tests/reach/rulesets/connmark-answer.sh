# verdicts: ok ok ok ok
ip link add eth1 type veth peer name e1x; ip link set eth1 up; ip link set e1x up; ip addr add 10.5.0.2/24 dev eth1
ip route replace default via 10.5.0.1 dev eth1
ip route add default via 192.168.77.1 dev eth0 table 200
ip rule add fwmark 0x9 lookup 200
echo 2 > /proc/sys/net/ipv4/conf/all/rp_filter
nft -f - <<X
table ip m {
 chain p { type filter hook prerouting priority mangle; iifname "eth0" ct state new ct mark set 9; }
 chain o { type route hook output priority mangle; ct mark 9 meta mark set ct mark; }
}
X
