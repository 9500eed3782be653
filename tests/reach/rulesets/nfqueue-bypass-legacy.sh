# verdicts: unknown unknown ok ok
iptables-legacy -A INPUT -p tcp --syn -j NFQUEUE --queue-num 3 --queue-bypass
