# verdicts: blocked blocked ok ok
iptables-nft -A OUTPUT -m owner --uid-owner 0 -o eth0 -j REJECT
nft -f - <<X
table ip6 o { chain out { type filter hook output priority 0; meta skuid 1234 tcp sport 12345 drop; meta skuid 0 accept; } ; }
X
