# verdicts: ok blocked blocked blocked
iptables-legacy -A INPUT -p tcp --dport 23 -j DROP
iptables-nft -A INPUT -p tcp --dport 24 -m comment --comment x -j DROP
ip6tables-nft -A INPUT -p tcp -m multiport --dports 12345 -j REJECT --reject-with tcp-reset
nft -f - <<X
table inet z { chain in { type filter hook input priority 10; iifname "eth0" ip saddr != 192.168.77.0/24 tcp dport 12345 reject with icmpx admin-prohibited; }; }
X
