"""What else than rules can stop a connection, seen where it is there."""

from __future__ import annotations

import socket

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.system import other_filters
from wirecat.system.netlink_socket import NETLINK_ROUTE, NetlinkSocket
from wirecat.wire import rtnetlink


def test_traffic_filter_and_policy_are_seen() -> None:
    peer("ip")
    require_namespaces()
    host = Host("filters")

    def link() -> rtnetlink.Link:
        with NetlinkSocket(NETLINK_ROUTE) as kernel:
            links = map(rtnetlink.Link, kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request()))
            return next(each for each in links if each.name == "w0")

    own, other, third = (socket.inet_aton(address) for address in ("10.1.0.2", "10.1.0.9", "10.2.0.9"))
    try:
        host.ip("link add w0 type veth peer name w1", "link set w0 up")
        assert host.inside(lambda: other_filters.find_traffic_programs(link())) == ""
        assert not host.inside(lambda: other_filters.has_ipsec_policy(socket.AF_INET, other, own))
        host.must("tc", "qdisc", "add", "dev", "w0", "clsact")
        assert host.inside(lambda: other_filters.find_traffic_programs(link())) == ""
        host.must("tc", "filter", "add", "dev", "w0", "ingress", "bpf", "da", "bytecode", "1,6 0 0 2,")
        assert host.inside(lambda: other_filters.find_traffic_programs(link())) == "a traffic filter (tc) on w0"
        host.ip("xfrm policy add dir in src 10.1.0.0/24 dst 10.1.0.2/32 tmpl proto esp mode transport")
        assert host.inside(lambda: other_filters.has_ipsec_policy(socket.AF_INET, other, own))
        assert not host.inside(lambda: other_filters.has_ipsec_policy(socket.AF_INET, third, own))
        assert not host.inside(lambda: other_filters.has_ipvs_service(80))
    finally:
        host.close()


def test_addresses_within_a_network() -> None:
    assert other_filters.is_within(b"\n\1\0\2", b"\n\1\0\0", 24)
    assert not other_filters.is_within(b"\n\2\0\2", b"\n\1\0\0", 16)
    assert other_filters.is_within(b"\n\2\0\2", b"", 0)
