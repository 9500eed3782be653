# verdicts: blocked blocked ok ok
nft -f - <<X
table ip t { chain in { type filter hook input priority 0; meta hour >= "00:00" meta hour <= "23:59:59" tcp dport 12345 ip saddr 11.0.0.0/8 drop; }; }
X
iptables-legacy -A INPUT -p tcp -m u32 --u32 "0>>22&0x3C@0&0xFFFF=12345" -m length --length 40:100 -s 192.168.77.0/24 -j DROP
ip6tables-legacy -A INPUT -p tcp -m bpf --bytecode "1,6 0 0 65535" -j ACCEPT
