# verdicts: unknown unknown unknown unknown
nft -f - <<X
table ip t { chain in { type filter hook input priority 0; tcp dport 12345 numgen random mod 100 < 50 drop; }; }
X
ip6tables-nft -A INPUT -p tcp --dport 12345 -m statistic --mode random --probability 0.5 -j DROP
