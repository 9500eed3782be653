# verdicts: ok ok ok ok
nft -f - <<X
table inet o { chain out { type filter hook output priority 0; tcp sport 12345 meta cgroup 77 drop; } ; }
X
