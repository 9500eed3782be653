# verdicts: blocked ok ok ok
ipset create gone hash:ip
ipset create good hash:ip,port
ipset create bad hash:net
ipset destroy gone
ipset add good 11.77.0.9,tcp:12345
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -m set --match-set good src,dst -j ACCEPT
