# verdicts: ok unknown ok ok
nft -f - <<X
table ip n { chain p { type nat hook prerouting priority -100; ip saddr 11.0.0.0/8 tcp dport 12345 redirect to :8080; }; }
X
