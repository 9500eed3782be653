"""Interfaces through rtnetlink: a namespace with every kind of address, and hostile messages."""

from __future__ import annotations

import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.system import netlink_interfaces
from wirecat.system.getifaddrs_interfaces import read_getifaddrs
from wirecat.system.interface_address import InterfaceAddress
from wirecat.system.netlink import ENDED, INTERRUPTED
from wirecat.system.netlink_interfaces import address_reader, link_reader, read_netlink_interfaces

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has rtnetlink")


def test_the_c_library_gives_the_same_addresses() -> None:
    ours = [(entry.name, entry.host, entry.up, entry.loopback) for entry in read_netlink_interfaces()]
    theirs = [(entry.name, entry.host, entry.up, entry.loopback) for entry in read_getifaddrs()]
    assert sorted(ours) == sorted(theirs)


def test_every_kind_of_address(in_namespace) -> None:
    commands = """
        ip link set lo up
        ip link add eth0 type veth peer name far0
        ip link add docker0 type bridge forward_delay 0
        ip link add guest1 type veth peer name far1
        ip link set guest1 master docker0
        ip link add idle0 type veth peer name far2
        for name in eth0 far0 guest1 far1 docker0; do
            echo 1 > /proc/sys/net/ipv6/conf/$name/addr_gen_mode
            ip link set $name up
        done
        ip address add 172.17.0.1/16 dev docker0
        ip address add 198.51.100.5/24 dev eth0
        ip address add 192.168.1.7/24 dev eth0
        ip address add 192.168.1.8/24 dev eth0
        ip address add 10.1.1.1 peer 10.1.1.2/32 dev eth0
        ip address add 169.254.1.1/16 dev eth0
        ip address add 192.168.9.9/24 dev idle0
        ip -6 address add fe80::7/64 dev eth0 nodad
        ip -6 address add 2001:db8::7/64 dev eth0 nodad
        ip -6 address add 2001:db8::8/64 dev eth0 nodad preferred_lft 0 valid_lft 600
    """
    code = """if True:
        import json
        from wirecat.system.interfaces import addresses_to_hand_out
        from wirecat.system.netlink_interfaces import read_netlink_interfaces
        entries = read_netlink_interfaces()
        rows = [[e.name, e.host, e.up, e.loopback, e.prefix_length, e.scope, e.temporary, e.deprecated]
                for e in entries]
        print(json.dumps([rows, addresses_to_hand_out(entries)]))
    """
    rows, hosts = in_namespace(commands, code)
    found = {row[1]: row for row in rows}
    expected = [
        ["lo", "127.0.0.1", True, True, 8, "host", False, False],
        ["lo", "::1", True, True, 128, "host", False, False],
        ["docker0", "172.17.0.1", True, False, 16, "global", False, False],
        ["eth0", "198.51.100.5", True, False, 24, "global", False, False],
        ["eth0", "192.168.1.7", True, False, 24, "global", False, False],
        ["eth0", "192.168.1.8", True, False, 24, "global", False, False],  # a secondary one is not temporary
        ["eth0", "10.1.1.1", True, False, 32, "global", False, False],  # ours, not the peer's
        ["eth0", "169.254.1.1", True, False, 16, "link", False, False],
        ["idle0", "192.168.9.9", False, False, 24, "global", False, False],
        ["eth0", "fe80::7%eth0", True, False, 64, "link", False, False],
        ["eth0", "2001:db8::7", True, False, 64, "global", False, False],
        ["eth0", "2001:db8::8", True, False, 64, "global", False, True],
    ]
    assert sorted(found.values()) == sorted(expected)
    private, rest = sorted(hosts[:3]), hosts[3:]
    assert private == ["10.1.1.1", "192.168.1.7", "192.168.1.8"]
    assert rest == ["198.51.100.5", "2001:db8::7", "2001:db8::8", "169.254.1.1", "172.17.0.1"]


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def read_address(raw: bytes) -> tuple[list[InterfaceAddress], int]:
    addresses: list[InterfaceAddress] = []
    result = address_reader({1: ("lo", 0x49), 2: ("eth0", 0x43)}, addresses)(bytearray(raw), len(raw))
    return addresses, result


def test_addresses_that_nobody_should_use_or_can_read_are_left_out() -> None:
    address = attribute(1, bytes.fromhex("20010db8000000000000000000000001"))
    duplicate = message(20, struct.pack("=BBBBI", 10, 64, 0x08, 0, 2) + address)
    strange = message(20, struct.pack("=BBBBI", 12, 64, 0, 0, 2) + address)
    short = message(20, struct.pack("=BBBBI", 2, 64, 0, 0, 2) + attribute(1, b"\x0a\0"))
    bare = message(20, struct.pack("=BBBBI", 2, 64, 0, 0, 2))
    good = message(20, struct.pack("=BBBBI", 10, 64, 0, 0, 2) + address + attribute(8, struct.pack("=I", 0x121)))
    found, _ = read_address(duplicate + strange + short + bare + good)
    assert [(entry.host, entry.temporary, entry.deprecated) for entry in found] == [("2001:db8::1", True, True)]


def test_an_interface_that_came_meanwhile_is_known_by_its_number() -> None:
    raw = message(20, struct.pack("=BBBBI", 2, 24, 0, 0, 77) + attribute(2, b"\x0a\0\0\1"))
    ((entry,), _) = read_address(raw)
    assert (entry.name, entry.up, entry.host) == ("77", False, "10.0.0.1")


def test_links_are_read_by_name_and_flags() -> None:
    links: dict[int, tuple[str, int]] = {}
    raw = message(16, struct.pack("=BxHiII", 0, 1, 7, 0x43, 0) + attribute(3, b"eth0\0"), flags=0x10)
    assert link_reader(links)(bytearray(raw), len(raw)) == INTERRUPTED
    assert links == {7: ("eth0", 0x43)}


def test_the_end_an_error_and_a_short_body() -> None:
    assert read_address(message(3, bytes(4)))[1] == ENDED
    with pytest.raises(PermissionError):
        read_address(message(2, struct.pack("=i", -1)))
    with pytest.raises(OSError, match="malformed"):
        read_address(message(20, bytes(7)))


@given(st.binary(max_size=300), st.sampled_from([16, 20]))
def test_any_bytes_give_entries_or_an_error(body: bytes, kind: int) -> None:
    for raw in (body, message(kind, body)):
        try:
            read_address(raw)
            link_reader({})(bytearray(raw), len(raw))
        except OSError:
            continue


def test_tables_that_never_keep_still_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink_interfaces, "dump", lambda *_: False)
    with pytest.raises(OSError, match="change faster"):
        read_netlink_interfaces()
