# verdicts: ok blocked blocked blocked
iptables-nft -P INPUT DROP
iptables-nft -A INPUT -m state --state ESTABLISHED -m comment --comment "answers" -j ACCEPT
nft add rule ip filter INPUT tcp dport '{ 22, 443, 12000-12400 }' ip saddr 192.168.77.0/24 accept
ip6tables-nft -A INPUT -p tcp --dport 22 -m comment --comment x -j ACCEPT
nft add rule ip6 filter INPUT ct state vmap '{ established : accept, invalid : drop }'
nft add rule ip6 filter INPUT tcp dport 12345 counter reject
