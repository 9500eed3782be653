# verdicts: ok blocked blocked blocked
iptables-nft -P OUTPUT DROP
iptables-nft -A OUTPUT -o lo -j ACCEPT
iptables-nft -A OUTPUT -o tun+ -j ACCEPT
iptables-nft -A OUTPUT -d 192.168.0.0/16 -j ACCEPT
ip6tables-legacy -A OUTPUT -o lo -j ACCEPT
ip6tables-legacy -A OUTPUT -p ipv6-icmp -j ACCEPT
ip6tables-legacy -A OUTPUT -j REJECT --reject-with icmp6-adm-prohibited
