# verdicts: blocked blocked blocked blocked
nft -f - <<X
table inet f { chain in { type filter hook input priority 0; policy accept; meta l4proto { icmp, ipv6-icmp } accept
 tcp dport 1-65535 reject with icmpx port-unreachable
 }; }
X
