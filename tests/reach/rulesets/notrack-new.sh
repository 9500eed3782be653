# verdicts: blocked blocked ok ok
nft -f - <<X
table inet f {
 chain pre { type filter hook prerouting priority -300; ip protocol tcp tcp dport 12345 notrack; }
 chain in { type filter hook input priority 0; policy drop;
  iif lo accept
  ct state { established, related } accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  tcp dport 12345 ct state new accept
 }
}
X
