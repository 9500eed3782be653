# verdicts: ok ok ok ok
ip link add eth1 type veth peer name e1x; ip link set eth1 up; ip link set e1x up; ip addr add 10.5.0.2/24 dev eth1
ip route replace default via 10.5.0.1 dev eth1
ip route add default via 192.168.77.1 dev eth0 table 200
ip rule add from 192.168.77.20 lookup 200
