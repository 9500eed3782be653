# verdicts: ok ok ok ok
nft -f - <<X
table inet f {
 chain pre { type filter hook prerouting priority -300; tcp dport 12345 notrack; }
 chain out { type filter hook output priority -300; tcp sport 12345 notrack; }
 chain in { type filter hook input priority 0; policy drop; ct state untracked accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
}
X
