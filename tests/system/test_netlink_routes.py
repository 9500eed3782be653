"""Default routes through rtnetlink: a namespace with several, and hostile messages."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_routes import read_netlink_routes, route_reader
from wirecat.system.route import Route

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has rtnetlink")


def test_the_default_routes_of_a_namespace() -> None:
    require_namespaces()
    host = Host("routes")
    try:
        host.ip(
            "link add eth0 type veth peer name far0", "link set eth0 up", "link set far0 up",
            "addr add 192.168.1.7/24 dev eth0", "addr add 2001:db8::7/64 dev eth0", "addr add fe80::7/64 dev eth0",
            "route add 10.0.0.0/8 via 192.168.1.9", "route add default via 192.168.1.1 metric 100",
            "route add default via 192.168.1.2 metric 50", "route add default via fe80::1 dev eth0",
            "route add default via 192.168.1.3 table 77",
        )  # fmt: skip
        routes = host.inside(read_netlink_routes)
        assert [route for route in routes if route.family == "ipv4"] == [
            Route("ipv4", "192.168.1.2", "eth0"),
            Route("ipv4", "192.168.1.1", "eth0"),
        ]
        assert Route("ipv6", "fe80::1%eth0", "eth0") in routes
        host.ip("route flush default", "route add default nexthop via 192.168.1.1 nexthop via 192.168.1.2")
        gateways = {route.gateway for route in host.inside(read_netlink_routes) if route.family == "ipv4"}
        assert gateways == {"192.168.1.1", "192.168.1.2"}
    finally:
        host.close()


@given(some.binary(max_size=120))
def test_nonsense_is_an_os_error_at_worst(data: bytes) -> None:
    try:
        route_reader([])(bytearray(data), len(data))
    except OSError as error:
        assert error.errno
