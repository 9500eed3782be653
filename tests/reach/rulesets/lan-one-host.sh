# verdicts: unknown blocked ok ok
nft -f - <<X
table ip s { chain in { type filter hook input priority 0; policy drop; ct state established accept; ip saddr 192.168.77.30 tcp dport 12345 accept; ip saddr 192.168.77.64/26 accept; }; }
X
