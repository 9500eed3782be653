# verdicts: ok blocked ok ok
ip link add eth1 type veth peer name e1x; ip link set eth1 up; ip link set e1x up; ip addr add 10.5.0.2/24 dev eth1
ip route replace default via 10.5.0.1 dev eth1
echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter
echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter
