# verdicts: ok ok ok ok
ipset create f2b-sshd hash:ip timeout 600
ipset add f2b-sshd 203.0.113.7
ipset add f2b-sshd 192.168.77.30
iptables-nft -A INPUT -p tcp -m multiport --dports 22 -m set --match-set f2b-sshd src -j REJECT --reject-with icmp-port-unreachable
nft -f - <<X
table inet f2b-table {
 set addr-set-sshd { type ipv4_addr; elements = { 203.0.113.7 }; }
 chain f2b-chain { type filter hook input priority filter - 1; policy accept; tcp dport { 22 } ip saddr @addr-set-sshd reject with icmp port-unreachable; }
}
X
