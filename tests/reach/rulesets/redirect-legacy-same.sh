# verdicts: ok ok ok ok
iptables-legacy -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 12345
iptables-legacy -t nat -A PREROUTING -p tcp --dport 12345 -j REDIRECT --to-ports 12345
