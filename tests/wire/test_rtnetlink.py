"""Messages of rtnetlink: a network read, and made again elsewhere."""

from __future__ import annotations

from peers import peer
from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_socket import NETLINK_ROUTE, NLM_F_CREATE, NetlinkSocket
from wirecat.wire import rtnetlink

ROUTES = """
link set lo up
link add w0 type veth peer name w1
link set w0 mtu 1400 group 7 address 02:00:00:00:00:0a
link set w0 up
link set w1 up
addr add 10.1.0.2/24 dev w0
addr add 2001:db8::2/64 dev w0 nodad
route add default via 10.1.0.1
route add 10.9.0.0/16 table 52 nexthop via 10.1.0.1 weight 2 nexthop via 10.1.0.3 weight 1
route add blackhole 10.8.0.0/16
route add unreachable 2001:db8:9::/48
route add 2001:db8:8::/48 via 2001:db8::1 metric 5
rule add pref 10 fwmark 0x80/0xff lookup 52
rule add pref 11 not from 10.1.0.0/16 iif w0 lookup 52
rule add pref 12 lookup main suppress_prefixlength 0
"""


def test_routes_and_rules_are_copied() -> None:
    peer("ip")
    require_namespaces()
    one, other = Host("one"), Host("other")
    try:
        one.ip(*ROUTES.strip().splitlines())
        other.ip(*ROUTES.strip().splitlines()[:7])

        def read() -> tuple[list[bytes], list[bytes]]:
            with NetlinkSocket(NETLINK_ROUTE) as kernel:
                routes = [body for family in (2, 10) for body in kernel.dump(26, rtnetlink.route_request(family))]
                return routes, kernel.dump(34, rtnetlink.rule_request(2))

        routes, rules = one.inside(read)

        def write() -> None:
            with NetlinkSocket(NETLINK_ROUTE) as kernel:
                for kind, bodies in ((rtnetlink.NEW_ROUTE, map(rtnetlink.copy_route, routes)),
                                     (rtnetlink.NEW_RULE, map(rtnetlink.copy_rule, rules))):  # fmt: skip
                    for body in bodies:
                        if body is not None:
                            try:
                                kernel.request(kind, body, NLM_F_CREATE)
                            except FileExistsError:
                                continue

        other.inside(write)
        for words in (("route", "show", "table", "all"), ("-6", "route", "show", "table", "all"), ("rule",)):
            printed = [
                {line for line in host.must(peer("ip"), *words).splitlines() if "fe80::" not in line}
                for host in (one, other)
            ]
            assert printed[0] - printed[1] == set()
        gateways = [hop for body in routes if rtnetlink.Route(body).table == 52 for hop in rtnetlink.Route(body).hops]
        assert gateways == [(3, b"\n\1\0\1"), (3, b"\n\1\0\3")] or gateways == [(2, b"\n\1\0\1"), (2, b"\n\1\0\3")]
    finally:
        one.close()
        other.close()


def test_interface_is_read_and_made_again() -> None:
    peer("ip")
    require_namespaces()
    one, other, far = Host("one"), Host("other"), Host("far")
    try:
        one.ip(*ROUTES.strip().splitlines()[1:4])

        def read() -> rtnetlink.Link:
            with NetlinkSocket(NETLINK_ROUTE) as kernel:
                links = map(rtnetlink.Link, kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request()))
                return next(link for link in links if link.name == "w0")

        link = one.inside(read)
        assert (link.kind, link.mtu, link.group, link.is_tunnel) == ("veth", 1400, 7, False)

        def write() -> None:
            with NetlinkSocket(NETLINK_ROUTE) as kernel:
                kernel.request(rtnetlink.NEW_LINK, rtnetlink.make_pair(link, far.descriptor), NLM_F_CREATE)

        other.inside(write)
        again = other.inside(read)
        assert (again.index, again.address, again.mtu, again.group) == (link.index, link.address, 1400, 7)
        assert far.inside(read).index != again.index
    finally:
        for host in (one, other, far):
            host.close()
