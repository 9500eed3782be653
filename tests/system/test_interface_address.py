"""One address of an interface: what is read off the address itself."""

from __future__ import annotations

import pytest

from wirecat.system.interface_address import InterfaceAddress, format_host


@pytest.mark.parametrize(
    ("host", "family", "scope", "loopback"),
    [
        ("127.0.0.1", "ipv4", "host", True),
        ("127.9.9.9", "ipv4", "host", True),
        ("192.168.1.7", "ipv4", "global", False),
        ("169.254.3.4", "ipv4", "link", False),
        ("169.253.3.4", "ipv4", "global", False),
        ("::1", "ipv6", "host", True),
        ("fe80::1%eth0", "ipv6", "link", False),
        ("febf::1", "ipv6", "link", False),
        ("fec0::1", "ipv6", "global", False),
        ("fd00::1", "ipv6", "global", False),
    ],
)
def test_family_scope_and_loopback(host: str, family: str, scope: str, loopback: bool) -> None:
    address = InterfaceAddress("eth0", host)
    assert (address.family, address.scope, address.loopback) == (family, scope, loopback)


def test_what_the_system_says_wins() -> None:
    address = InterfaceAddress("lo", "10.0.0.1", loopback=True, scope="link", prefix_length=8)
    assert (address.loopback, address.scope, address.prefix_length) == (True, "link", 8)


def test_an_address_can_be_copied_and_not_changed() -> None:
    address = InterfaceAddress("eth0", "10.0.0.1")
    assert address.replace(up=False).up is False
    with pytest.raises(AttributeError):
        address.up = False


def test_bytes_of_a_wrong_length_are_no_address() -> None:
    with pytest.raises(ValueError):
        format_host(b"\1\2\3\4\5")
