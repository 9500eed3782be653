# verdicts: ok blocked ok ok
ip link add tailscale0 type veth peer name far; ip link set tailscale0 up; ip link set far up; ip addr add 100.90.1.2/32 dev tailscale0
ip route add default dev tailscale0 table 52
ip route add throw 192.168.77.0/24 table 52
ip rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
ip rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
ip rule add pref 5250 fwmark 0x80000/0xff0000 type unreachable
ip rule add pref 5270 lookup 52
iptables-nft -N ts-input
iptables-nft -A ts-input -s 100.90.1.2/32 -i lo -j ACCEPT
iptables-nft -A ts-input -s 100.64.0.0/10 ! -i tailscale0 -j DROP
iptables-nft -A ts-input -i tailscale0 -j ACCEPT
iptables-nft -A ts-input -p udp --dport 41641 -j ACCEPT
iptables-nft -I INPUT -j ts-input
