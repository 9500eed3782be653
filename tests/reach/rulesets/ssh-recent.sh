# verdicts: ok ok ok ok
iptables-legacy -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH
iptables-legacy -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP
iptables-legacy -A INPUT -p tcp --dport 12345 -m recent --set --name X
