# verdicts: unknown unknown ok ok
nft -f - <<X
table ip t { chain p { type filter hook prerouting priority mangle; tcp dport 12345 tproxy to :3128 meta mark set 1 accept; }; }
X
