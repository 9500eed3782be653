# verdicts: ok blocked ok blocked
ip route del default; ip -6 route del default
