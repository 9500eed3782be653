# verdicts: ok ok ok ok
nft -f - <<X
table ip s { chain in { type filter hook input priority 0; iifgroup 7 drop; fib saddr . iif oif 0 drop; fib daddr type != local drop; rt classid 3 drop; socket wildcard 0 tcp dport 12345 drop; meta hour "00:00"-"00:00" drop; }; }
X
