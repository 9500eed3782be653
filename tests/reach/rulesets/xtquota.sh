# verdicts: unknown unknown ok ok
iptables-nft -A INPUT -p tcp --dport 12345 -m quota --quota 100000 -j ACCEPT
iptables-nft -A INPUT -p tcp --dport 12345 -j DROP
