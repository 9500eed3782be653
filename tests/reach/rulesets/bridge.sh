# verdicts: ok blocked blocked ok
ip addr flush dev eth0; ip link add br-lan type bridge forward_delay 0; ip link set eth0 master br-lan; ip link set br-lan up
ip addr add 192.168.77.20/24 dev br-lan; ip addr add 2d00:77:0:1::20/64 dev br-lan nodad; ip route add default via 192.168.77.1; ip -6 route replace default via 2d00:77:0:1::1 dev br-lan
nft -f - <<X
table bridge b { chain in { type filter hook input priority 0; ip saddr 11.0.0.0/8 tcp dport 12345 drop; }; chain pre { type filter hook prerouting priority 0; iifname "eth0" ip6 saddr 2d00:77::/32 tcp dport 12345 drop; }; }
X
