# verdicts: unknown unknown unknown unknown
nft -f - <<X
table inet o { chain in { type filter hook input priority 0; tcp dport 12345 ether saddr 02:00:00:00:00:01 drop; } ; }
X
