# verdicts: ok blocked ok blocked
nft -f - <<X
table inet o {
 ct helper ftp-std { type "ftp" protocol tcp; }
 ct timeout slow { protocol tcp; policy = { established : 100, close : 4 }; }
 ct expectation e { protocol tcp; dport 9; timeout 1m; size 12; l3proto ip; }
 counter good { }
 map hits { type inet_service : counter; elements = { 12345 : "good" }; }
 map lim { type inet_service : limit; }
 chain in { type filter hook input priority 0; policy drop;
  ct state established accept
  tcp dport 21 ct helper set "ftp-std"
  tcp dport 12345 ct timeout set "slow"
  counter name tcp dport map @hits
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  ip saddr 192.168.0.0/16 tcp dport 12345 accept comment "lan"
  tcp dport 12345 ip6 saddr & ffff:: == 2d00:: accept
 }
}
X
