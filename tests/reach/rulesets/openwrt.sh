# verdicts: ok ok ok ok
nft -f - <<X
table inet fw4 {
 chain input { type filter hook input priority filter; policy drop;
  iif "lo" accept comment "!fw4: Accept traffic from loopback"
  ct state vmap { established : accept, related : accept }
  tcp flags & (fin | syn | rst | ack) == syn jump syn_flood comment "!fw4: Rate limit TCP syn packets"
  iifname "eth0" jump input_lan
  jump handle_reject
 }
 chain handle_reject { meta l4proto tcp reject with tcp reset
  reject;
 }
 chain syn_flood { limit rate 25/second burst 50 packets return comment "!fw4: Accept SYN packets below rate-limit"
  drop;
 }
 chain input_lan { jump accept_from_lan; }
 chain accept_from_lan { iifname "eth0" counter accept; }
 chain forward { type filter hook forward priority filter; policy drop; }
 chain prerouting { type filter hook prerouting priority filter; policy accept; }
 chain raw_prerouting { type filter hook prerouting priority raw; policy accept; }
 chain mangle_output { type route hook output priority mangle; policy accept; }
}
X
