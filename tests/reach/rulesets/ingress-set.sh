# verdicts: unknown blocked ok blocked
nft -f - <<X
table inet early {
 set unwanted { type ipv4_addr; flags interval; auto-merge; elements = { 11.64.0.0/10, 192.168.77.16-192.168.77.47 }; }
 set unwanted6 { type ipv6_addr; flags interval; elements = { 2a00::/16 }; }
 chain c { type filter hook ingress device "eth0" priority -300; policy accept;
  ip saddr @unwanted drop
  ip6 saddr @unwanted6 counter drop
 }
}
X
