"""A route as a value."""

from __future__ import annotations

from wirecat.system.route import Route


def test_a_route_is_a_value() -> None:
    assert Route("ipv4", "192.168.1.1", "eth0") == Route("ipv4", "192.168.1.1", "eth0")
    assert Route("ipv4", "", "ppp0").gateway == ""
