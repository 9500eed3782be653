# verdicts: blocked ok blocked ok
nft -f - <<X
table inet q {
 quota full { over 100 bytes }
 quota room { over 1000 mbytes used 50 bytes }
 counter c { packets 3 bytes 4 }
 limit lim { rate 400/minute }
 chain o { type filter hook output priority 0; udp dport 9 quota name full drop; }
 chain in { type filter hook input priority 0;
  tcp dport 12345 counter name c
  tcp dport 12345 limit name lim counter
  ip saddr 192.168.77.0/24 tcp dport 12345 quota name full drop
  ip saddr 11.0.0.0/8 tcp dport 12345 quota name room drop
  ip6 saddr 2d00:77::/32 tcp dport 12345 quota over 10 bytes used 10 bytes drop
 }
}
X
python3 -c "
import socket; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
for i in range(4):
    try: s.sendto(b'x'*90,('192.168.77.30',9))
    except OSError as e: print(e)
"
nft list quotas
