# verdicts: ok blocked ok ok
nft -f - <<X
table netdev e { chain out { type filter hook egress device "eth0" priority 0; tcp sport 12345 ip daddr 11.0.0.0/8 drop; }; }
X
