# verdicts: ok ok blocked blocked
nft -f - <<X
table ip off { flags dormant; chain in { type filter hook input priority 0; policy drop; }; }
table ip6 on { chain in { type filter hook input priority 0; policy drop; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }
X
