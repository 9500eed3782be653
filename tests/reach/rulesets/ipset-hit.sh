# verdicts: blocked ok ok ok
ipset create gone hash:ip
ipset create bad hash:net
ipset create list list:set
ipset destroy gone
ipset add bad 192.168.77.0/24
ipset add list bad
iptables-nft -A INPUT -m set --match-set list src -j DROP
