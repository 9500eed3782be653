# verdicts: ok blocked ok blocked
nft -f - <<X
table inet o {
 map services { type ipv4_addr . inet_service : verdict; flags interval; elements = { 192.168.77.20 . 80 : accept, 192.168.77.0-192.168.77.99 . 12000-13000 : goto lanonly }; }
 set lanset { typeof ip saddr . ip daddr . tcp dport; flags interval; elements = { 192.168.0.0/16 . 192.168.77.20 . 12345 }; }
 map marks { type inet_service : mark; elements = { 12345 : 0x77 }; }
 set timeouts { type ipv6_addr; flags timeout, interval; elements = { 2d00:77::/32 timeout 1h }; }
 chain lanonly { meta mark set tcp dport map @marks
  meta mark 0x77 ip saddr . ip daddr . tcp dport @lanset accept
  meta mark 0x77 reject with tcp reset
 }
 chain in { type filter hook input priority 0; policy drop;
  ct state vmap { established : accept, invalid : drop }
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  ip daddr . tcp dport vmap @services
  ip6 saddr @timeouts tcp dport 12345 accept
 }
}
X
