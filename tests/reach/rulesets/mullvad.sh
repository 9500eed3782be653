# verdicts: ok blocked blocked blocked
nft -f - <<X
table inet mullvad {
 chain input { type filter hook input priority filter; policy drop;
  iif "lo" accept
  udp sport 67 udp dport 68 accept
  ip6 saddr fe80::/10 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  ip saddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16 } accept
  ct state established accept
 }
 chain output { type filter hook output priority filter; policy drop;
  oif "lo" accept
  ct mark 0x00000f41 accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16 } accept
  reject
 }
 chain mangle { type route hook output priority -150; policy accept; meta cgroup 5087041 ct mark set 0x00000f41; }
}
X
