# verdicts: blocked blocked ok blocked
nft -f - <<X
table inet f {
 map where { type ifname : verdict; elements = { "lo" : accept, "eth0" : jump outside }; }
 chain outside {
  ct state vmap { invalid : drop, established : accept, new : continue }
  meta l4proto vmap { tcp : goto tcp_in, ipv6-icmp : accept }
 }
 chain tcp_in {
  tcp flags & (fin | syn) == fin | syn drop
  tcp dport . ip saddr { 12345 . 192.168.77.0/24 } meta skuid 0 accept
  tcp dport vmap { 22 : accept, 12345 : jump late }
 }
 chain late { ip6 saddr 2d00::/8 accept
  return
 }
 chain in { type filter hook input priority 0; policy drop; iifname vmap @where; }
}
X
