# verdicts: ok ok ok ok
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -f -j DROP
iptables-legacy -A INPUT ! -f -p tcp --dport 12345 -j ACCEPT
