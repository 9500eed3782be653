"""Regions and networks: whether all, some or none of the possible sources are in a network."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from wirecat.reach.packet import INTERNET, LAN, Packet, all_of, any_of

FOUR = "192.168.77.20"
SIX = "2d00:77:0:1::20"


@pytest.mark.parametrize(
    ("region", "host", "network", "inside"),
    [
        (LAN, FOUR, "192.168.77.0/24", True),
        (LAN, FOUR, "192.168.0.0/16", True),
        (LAN, FOUR, "0.0.0.0/0", True),
        (LAN, FOUR, "192.168.77.30/32", None),
        (LAN, FOUR, "10.0.0.0/8", False),
        (LAN, FOUR, "::/0", False),
        (LAN, SIX, "2d00:77:0:1::/64", True),
        (LAN, SIX, "2000::/3", True),
        (INTERNET, FOUR, "0.0.0.0/0", True),
        (INTERNET, FOUR, "192.168.0.0/16", False),
        (INTERNET, FOUR, "8.0.0.0/8", None),
        (INTERNET, FOUR, "128.0.0.0/1", None),
        (INTERNET, SIX, "::/0", True),
        (INTERNET, SIX, "2000::/3", True),
        (INTERNET, SIX, "fe80::/10", False),
        (INTERNET, SIX, "2d00:77:0:1::/64", False),
        (INTERNET, SIX, "2001:db8::/32", None),
    ],
)
def test_where_it_comes_from(region: str, host: str, network: str, inside: bool | None) -> None:
    packet = Packet(region, "eth0", host, 24 if host == FOUR else 64, 12345)
    assert packet.comes_from(ip_network(network)) is inside


def test_ranges() -> None:
    packet = Packet(LAN, "eth0", FOUR, 24, 1)
    assert packet.comes_from_range(ip_address("192.168.77.0"), ip_address("192.168.77.255")) is True
    assert packet.comes_from_range(ip_address("192.168.77.1"), ip_address("192.168.77.9")) is None
    assert packet.comes_from_range(ip_address("10.0.0.1"), ip_address("10.0.0.9")) is False
    assert packet.comes_from_range(ip_address("10.0.0.9"), ip_address("10.0.0.1")) is False


def test_three_values() -> None:
    assert any_of([False, None]) is None
    assert any_of([None, True]) is True
    assert any_of([]) is False
    assert all_of([True, None]) is None
    assert all_of([None, False]) is False
    assert all_of([]) is True
