# verdicts: blocked ok ok ok
nft -f - <<X
table netdev n { chain c { type filter hook ingress devices = { "eth0" } priority -500; policy accept; ip saddr 192.168.0.0/16 tcp dport 12000-12999 drop; }; }
X
