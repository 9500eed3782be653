# verdicts: unknown unknown ok ok
ip link add cni0 type bridge; ip addr add 10.42.0.1/24 dev cni0; ip link set cni0 up
iptables-nft-restore <<X
*nat
:PREROUTING ACCEPT [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SVC-AAA - [0:0]
:KUBE-SEP-1 - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m tcp --dport 12345 -j KUBE-SVC-AAA
-A KUBE-SVC-AAA -j KUBE-SEP-1
-A KUBE-SEP-1 -p tcp -m tcp -j DNAT --to-destination 10.42.0.3:6443
COMMIT
X
