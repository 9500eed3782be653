# verdicts: ok blocked blocked blocked
iptables-legacy-restore <<X
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:a - [0:0]
:b - [0:0]
:c - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m limit --limit 100/sec -j LOG
-A INPUT -g a
-A a -s 11.0.0.0/8 -j b
-A a -m limit --limit 3/min -p tcp -j RETURN
-A a -j DROP
-A b -m connlimit --connlimit-above 9 -j RETURN
-A b -p tcp -m tcp --dport 12000:13000 -g c
-A c -m recent --set --name Z
-A c -p tcp -j REJECT --reject-with tcp-reset
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p tcp --dport 12345 -j CT --notrack
COMMIT
X
ip6tables-legacy-restore <<X
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A INPUT -s 2d00:77::/32 -p tcp -m tcp --dport 12345 -j DROP
-A OUTPUT -d 2d00:11::/32 -p tcp -m tcp --sport 12345 -j DROP
-A OUTPUT -d 2a00:11::/32 -p tcp -m tcp --sport 12345 -j DROP
COMMIT
X
