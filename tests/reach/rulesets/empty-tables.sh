# verdicts: ok ok ok ok
nft add table inet a; nft add table netdev b; nft add table arp c; nft add table bridge d
iptables-legacy -t nat -L >/dev/null; ip6tables-legacy -L > /dev/null; arptables-nft -L >/dev/null; ebtables-nft -L >/dev/null
