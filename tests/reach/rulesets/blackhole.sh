# verdicts: blocked blocked ok ok
ip rule add pref 100 from 192.168.77.20 to 11.0.0.0/8 blackhole
ip -6 rule add pref 100 to 2d00:11::/32 prohibit
ip rule add pref 90 to 192.168.77.0/24 unreachable
