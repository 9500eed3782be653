# verdicts: ok ok ok ok
iptables-legacy -A INPUT -p tcp --dport 12345 -m connlimit --connlimit-above 3 -j REJECT
iptables-legacy -A INPUT -p tcp --dport 12345 -m hashlimit --hashlimit-above 5/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name a -j DROP
nft -f - <<X
table inet l {
 set flood { type ipv4_addr; flags dynamic, timeout; timeout 10s; }
 set flood6 { type ipv6_addr; flags dynamic, timeout; timeout 10s; }
 chain in { type filter hook input priority 0; policy drop;
  ct state established accept
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  tcp dport 12345 ct count over 20 drop
  tcp dport 12345 update @flood { ip saddr limit rate over 5/minute burst 3 packets } drop
  tcp dport 12345 update @flood6 { ip6 saddr limit rate over 5/minute burst 3 packets } drop
  tcp dport 12345 limit rate 1/hour burst 1 packets accept
 }
}
X
