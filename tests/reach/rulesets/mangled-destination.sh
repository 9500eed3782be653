# verdicts: ok unknown ok ok
ip addr add 192.168.77.21/32 dev eth0
nft -f - <<X
table ip t { chain p { type nat hook prerouting priority -100; tcp dport 12345 ip saddr 192.168.0.0/16 dnat to 192.168.77.21:12345; tcp dport 12345 ip saddr 11.0.0.0/8 dnat to 192.168.77.21:80; }; }
X
