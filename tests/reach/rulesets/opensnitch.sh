# verdicts: ok ok ok ok
nft -f - <<X
table inet opensnitch {
 chain mangle_output { type route hook output priority mangle; policy accept;
  icmp type echo-request accept
  tcp sport 53 counter
 }
}
X
iptables-nft -t mangle -A OUTPUT -m conntrack --ctstate NEW,RELATED -j NFQUEUE --queue-num 0 --queue-bypass
iptables-nft -A INPUT -p udp --sport 53 -j NFQUEUE --queue-num 0 --queue-bypass
