# verdicts: ok blocked ok ok
ip link add wg0 type veth peer name wgx; ip link set wg0 up; ip link set wgx up; ip addr add 10.9.0.2/32 dev wg0
ip route add default dev wg0 table 51820
ip rule add not fwmark 51820 table 51820
ip rule add table main suppress_prefixlength 0
nft -f - <<X
table ip wg-quick-wg0 {
 chain preraw { type filter hook prerouting priority raw; iifname != "wg0" ip daddr 10.9.0.2 fib saddr type != local drop; }
 chain premangle { type filter hook prerouting priority mangle; meta l4proto udp meta mark set ct mark; }
 chain postmangle { type filter hook postrouting priority mangle; meta l4proto udp meta mark 0x0000ca6c ct mark set meta mark; }
}
X
