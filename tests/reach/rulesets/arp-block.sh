# verdicts: unknown blocked ok ok
nft -f - <<X
table arp a { chain in { type filter hook input priority 0; arp saddr ip 192.168.77.30 drop; arp saddr ip 192.168.77.1 drop; } ; }
X
