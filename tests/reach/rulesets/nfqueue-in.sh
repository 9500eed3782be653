# verdicts: unknown unknown ok ok
iptables-nft -A INPUT -p tcp --dport 12345 -j NFQUEUE --queue-num 3
