# verdicts: blocked blocked ok ok
nft -f - <<X
table netdev n { chain c { type filter hook ingress device "eth0" priority -2147483648; policy accept; ip saddr 192.168.0.0/16 tcp dport 12345 drop; }; }
table inet m { chain c { type filter hook prerouting priority -2147483648; policy accept; ip saddr 11.0.0.0/8 tcp dport 12345 drop; }; }
X
