# verdicts: ok ok ok ok
iptables-legacy -P INPUT DROP
iptables-legacy -A INPUT -m addrtype --src-type UNICAST --dst-type LOCAL,MULTICAST -p tcp -j ACCEPT
ip6tables-legacy -A INPUT -m addrtype --src-type MULTICAST -j DROP
