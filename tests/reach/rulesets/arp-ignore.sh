# verdicts: blocked blocked ok ok
echo 8 > /proc/sys/net/ipv4/conf/eth0/arp_ignore
