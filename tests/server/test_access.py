"""Who may come in: single addresses, blocks and their edges, IPv6, mapped addresses, and what is none of these."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import UsageError
from wirecat.server.access import CACHE_LIMIT, AccessList


def test_nothing_said_lets_everybody_in() -> None:
    access = AccessList()
    assert not access
    assert access.permits("192.0.2.1") and access.permits("::1")


@pytest.mark.parametrize(
    ("block", "inside", "outside"),
    [
        ("192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2", "::1"]),
        ("192.0.2.1/32", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
        ("192.0.2.0/31", ["192.0.2.0", "192.0.2.1"], ["192.0.2.2", "192.0.1.255"]),
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
        ("10.1.2.3/8", ["10.0.0.0", "10.255.255.255"], ["11.0.0.0"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"], ["::", "::1", "2001:db8::1"]),
        ("128.0.0.0/1", ["128.0.0.0", "255.255.255.255"], ["127.255.255.255"]),
        ("::1", ["::1", "0:0:0:0:0:0:0:1"], ["::2", "127.0.0.1"]),
        ("[::1]", ["::1"], ["::2"]),
        ("fe80::/10", ["fe80::1", "febf::1", "fe80::1%eth0"], ["fec0::1", "fe7f::1"]),
        ("fe80::1%eth0", ["fe80::1%eth0"], ["fe80::1", "fe80::1%wlan0", "fe80::2%eth0"]),
        ("2001:db8::/33", ["2001:db8:7fff::"], ["2001:db8:8000::"]),
        ("::/0", ["::1", "2001:db8::1"], ["127.0.0.1", "::ffff:127.0.0.1"]),
        ("::ffff:192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"], ["192.0.2.2"]),
        ("::ffff:192.0.2.0/120", ["192.0.2.255", "::ffff:192.0.2.7"], ["192.0.3.0"]),
        ("::ffff:0:0/96", ["1.2.3.4"], ["::1"]),
        (" 192.0.2.1 ", ["192.0.2.1"], []),
    ],
)
def test_blocks_and_their_edges(block: str, inside: list[str], outside: list[str]) -> None:
    allowing, denying = AccessList(allow=[block]), AccessList(deny=[block])
    assert allowing and denying
    for _ in range(2):  # the second answer is remembered
        for host in inside:
            assert allowing.permits(host) and not denying.permits(host), host
        for host in outside:
            assert not allowing.permits(host) and denying.permits(host), host


@pytest.mark.parametrize("nothing", ["", " ", ","])
def test_an_allow_that_holds_nothing_lets_nobody_in(nothing: str) -> None:
    """As of a script's variable that is empty: it must not open what it was to close."""
    access = AccessList(allow=[nothing])
    assert access
    assert not access.permits("192.0.2.1") and not access.permits("::1")
    assert AccessList(deny=[nothing]).permits("192.0.2.1")


def test_deny_wins() -> None:
    assert AccessList(deny=["10.0.0.5"])
    access = AccessList(allow=["10.0.0.0/8", "::1"], deny=["10.1.0.0/16"])
    assert access.permits("10.2.0.1") and access.permits("::1")
    assert not access.permits("10.1.0.1")
    assert not access.permits("192.0.2.1")


@pytest.mark.parametrize(
    "text",
    [
        "10.1", "127.1", "no-such-host.invalid", "10.0.0.256", "1.2.3.4.5", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/x",
        "1.2.3.4/1/2", "1.2.3.4/255.0.0.0", "/8", "::/129", "::1/x", ":::", "1.2.3.4:80", "[::1", "::1]", "[::1]:80", "[1.2.3.4",
        "1.2.3.4/" + "9" * 5000, "１.2.3.4", "1.2.3.4/８", "1.2.3.4\0", "::1\0", "::ffff:1.2.3.4/90", "\udcff", "*",
        "10.0.3-1.*", "10.0.0.0-256",
    ],
)  # fmt: skip
def test_what_is_no_block_is_said_in_one_line(text: str) -> None:
    for wrong in ({"allow": [text]}, {"deny": [text]}):
        with pytest.raises(UsageError) as raised:
            AccessList(**wrong)
        assert "\n" not in str(raised.value)
        assert raised.value.exit_code == 2


def test_memory_is_bounded() -> None:
    access = AccessList(deny=["192.0.2.0/24"])
    for number in range(CACHE_LIMIT * 2):
        assert access.permits(str(ipaddress.IPv4Address(0x0A000000 + number)))
    assert len(access._known) <= CACHE_LIMIT
    assert not access.permits("192.0.2.7")


@given(host=some.ip_addresses(), block=some.ip_addresses(), length=some.integers(0, 128))
def test_as_the_library_says(
    host: ipaddress.IPv4Address | ipaddress.IPv6Address,
    block: ipaddress.IPv4Address | ipaddress.IPv6Address,
    length: int,
) -> None:
    network = ipaddress.ip_network(f"{block}/{min(length, block.max_prefixlen)}", strict=False)
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    if isinstance(block, ipaddress.IPv6Address) and block.ipv4_mapped:
        return  # taken as IPv4, which the library does not
    expected = host.version == network.version and host in network
    assert AccessList(allow=[f"{block}/{network.prefixlen}"]).permits(str(host)) is expected
