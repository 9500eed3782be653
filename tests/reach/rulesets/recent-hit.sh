# verdicts: unknown unknown unknown unknown
iptables-legacy -A INPUT -p tcp --dport 12345 -m recent --update --seconds 60 --hitcount 4 --name X -j DROP
ip6tables-nft -A INPUT -p tcp --dport 12345 -m recent --update --seconds 60 --hitcount 4 --name X -j DROP
