"""The number of nftables tables, in a namespace that has none and then some."""

from __future__ import annotations

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_firewall import count_nftables_tables


def test_none_then_two() -> None:
    peer("nft")
    require_namespaces()
    host = Host("tables")
    try:
        assert host.inside(count_nftables_tables) == 0
        host.nft("table inet one { }\ntable ip6 two { }")
        assert host.inside(count_nftables_tables) == 2
    finally:
        host.close()
