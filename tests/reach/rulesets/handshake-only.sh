# verdicts: blocked blocked ok ok
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -p tcp --dport 12345 --syn -j ACCEPT
