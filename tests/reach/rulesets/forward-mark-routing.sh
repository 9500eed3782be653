# verdicts: ok blocked ok ok
ip link add eth1 type veth peer name e1x; ip link set eth1 up; ip link set e1x up; ip addr add 10.5.0.2/24 dev eth1
ip route add default via 10.5.0.1 dev eth1 table 100
ip rule add fwmark 0x5 lookup 100
nft -f - <<X
table ip m { chain o { type route hook output priority mangle; ip daddr 11.0.0.0/8 tcp sport 12345 meta mark set 5; }; }
X
