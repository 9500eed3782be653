"""Where an address is."""

from __future__ import annotations

import pytest

from wirecat.reach.places import kind_of, place_of, unmapped
from wirecat.system.interface_address import InterfaceAddress

OWN = [
    InterfaceAddress("lo", "127.0.0.1", prefix_length=8),
    InterfaceAddress("eth0", "192.168.77.20", prefix_length=24),
    InterfaceAddress("eth0", "2d00:77:0:1::20", prefix_length=64),
    InterfaceAddress("eth0", "fe80::20%eth0", prefix_length=64),
]


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("9.9.9.9", "public"), ("11.77.0.2", "public"), ("2d00::1", "public"), ("10.1.1.1", "private"),
        ("172.31.0.1", "private"), ("192.168.1.2", "private"), ("fd00::1", "private"), ("100.64.7.2", "carrier"),
        ("100.127.255.255", "carrier"), ("100.128.0.1", "public"), ("127.0.0.1", "special"), ("0.0.0.0", "special"),
        ("169.254.1.1", "special"), ("fe80::1%eth0", "special"), ("203.0.113.5", "special"), ("nonsense", "special"),
    ],
)  # fmt: skip
def test_kinds(host: str, kind: str) -> None:
    assert kind_of(host) == kind


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("127.0.0.5", "host"), ("::1", "host"), ("192.168.77.20", "host"), ("::ffff:192.168.77.20", "host"),
        ("192.168.77.30", "lan"), ("::ffff:192.168.77.30", "lan"), ("2d00:77:0:1::30", "lan"), ("fe80::30%eth0", "lan"),
        ("192.168.77.1", ""), ("11.77.0.9", "internet"), ("2d00:11::9", "internet"), ("10.8.0.1", ""),
    ],
)  # fmt: skip
def test_places(host: str, place: str) -> None:
    assert place_of(host, OWN, ["192.168.77.1", "fe80::1%eth0"]) == place


def test_unmapped() -> None:
    assert unmapped("::ffff:1.2.3.4") == "1.2.3.4"
    assert unmapped("::1") == "::1"
