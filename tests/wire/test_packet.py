"""Packets as others capture them, on each kind of link."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.packet import Dissector, Transported
from wirecat.wire.segment import ACK, PSH, Way

IPV4 = Way(bytes([10, 0, 0, 1]), 1000, bytes([10, 0, 0, 2]), 80).tcp(7, 8, PSH | ACK, b"data") + b"data"
IPV6 = Way(bytes(15) + b"\1", 1000, bytes(15) + b"\2", 80).tcp(7, 8, PSH | ACK, b"data") + b"data"
MACS = bytes(12)


def take_apart(link_type: int, data: bytes, *, check: bool = False) -> Transported | None:
    return Dissector().take(link_type, data, check=check)


def name_of(link_type: int, data: bytes) -> str:
    """What a packet that is left out is called."""
    dissector = Dissector()
    assert dissector.take(link_type, data) is None
    (name,) = dissector.left_out
    return name


def within_ip(protocol: int, data: bytes, fragment: int = 0) -> bytes:
    """An IPv4 packet with ``data``."""
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 7, fragment, 64, protocol, 0)
    return header + bytes([192, 0, 2, 1]) + bytes([192, 0, 2, 2]) + data


def udp(port: int, data: bytes) -> bytes:
    return within_ip(17, struct.pack("!HHHH", port, port, 8 + len(data), 0) + data)


ETHERNET = MACS + b"\x08\0" + IPV4
PPP = b"\0\x21" + IPV4


@pytest.mark.parametrize(
    ("link_type", "before"),
    [
        (101, b""),
        (0, b"\x02\0\0\0"),
        (108, b"\0\0\0\x02"),
        (1, MACS + b"\x08\0"),
        (1, MACS + b"\x81\0\0\x05\x08\0"),
        (113, bytes(14) + b"\x08\0"),
        (276, b"\x08\0" + bytes(18)),
        (1, MACS + b"\0\x20\xaa\xaa\x03\0\0\0\x08\0"),  # LLC and SNAP
        (1, MACS + b"\x88\x64\x11\0\0\1\0\x20\0\x21"),  # PPPoE
        (1, MACS + b"\x88\x47\0\0\x10\x40\0\0\x21\x40"),  # MPLS, two labels
        (9, b"\xff\x03\0\x21"),
        (9, b"\x21"),  # the short form of the protocol field
        (50, b"\xff\x03\0\x21"),
        (104, b"\x0f\0\x08\0"),
        (109, bytes(12)),
        (117, b"\x3d" + bytes(63)),
        (228, b""),
        (239, b"\x02\0\0\0" + b"\x08\0\x01\0\x08\0\0\0" + struct.pack("<HH", 4 + len(IPV4), 9)),
    ],
)
def test_each_kind_of_link(link_type: int, before: bytes) -> None:
    found = take_apart(link_type, before + IPV4 + b"padding of a short frame")
    assert found is not None
    assert (found.source, found.target) == ((bytes([10, 0, 0, 1]), 1000), (bytes([10, 0, 0, 2]), 80))
    assert (found.sequence, found.acknowledged, found.payload) == (7, 8, b"data")


def test_ipv6_with_extension_headers() -> None:
    length = len(IPV6) - 40 + 16
    extended = (
        IPV6[:4] + struct.pack("!HBB", length, 0, 64) + IPV6[8:40]
        + bytes([60, 0]) + bytes(6) + bytes([6, 0]) + bytes(6) + IPV6[40:]
    )  # fmt: skip
    found = take_apart(101, extended, check=True)
    assert found is not None
    assert (found.payload, found.intact) == (b"data", True)


def test_one_that_was_cut_tells_how_much_is_missing() -> None:
    found = take_apart(101, IPV4[:-3], check=True)
    assert found is not None
    assert (found.payload, found.missing, found.intact) == (b"d", 3, None)


@pytest.mark.parametrize(
    ("link_type", "data", "name"),
    [
        (1, MACS + b"\x08\x06" + bytes(28), "ARP"),
        (1, MACS + b"\x12\x34" + bytes(28), "EtherType 0x1234"),
        (1, MACS + b"\0\x26\x42\x42\x03" + bytes(35), "spanning tree"),
        (101, IPV4[:9] + b"\x01" + IPV4[10:], "ICMP"),
        (101, within_ip(50, bytes(40)), "ESP (IPsec, encrypted)"),
        (101, udp(2152, b"\x30\xff" + struct.pack("!H", 4) + bytes(8)), "GTP"),
        (127, bytes(60), "IEEE 802.11 with radiotap headers"),
        (147, IPV4, "link type 147"),
        (101, IPV4[:30], "too short or damaged to be read"),
    ],
)
def test_packet_that_is_left_out_is_named(link_type: int, data: bytes, name: str) -> None:
    assert name_of(link_type, data) == name


GENEVE = b"\x01\0\x65\x58" + bytes(8)


@pytest.mark.parametrize(
    "packet",
    [
        within_ip(4, IPV4),
        within_ip(47, b"\0\0\x08\0" + IPV4),
        within_ip(47, b"\xb0\0\x65\x58" + bytes(12) + ETHERNET),  # checksum, key, sequence number
        within_ip(47, b"\x30\x81\x88\x0b" + bytes(12) + PPP),  # PPTP
        udp(4789, b"\x08" + bytes(7) + ETHERNET),
        udp(6081, GENEVE + ETHERNET),
    ],
)
def test_tunnel_is_opened(packet: bytes) -> None:
    found = take_apart(101, packet)
    assert found is not None
    assert (found.source[1], found.payload) == (1000, b"data")


def test_datagram_that_only_uses_the_port_of_a_tunnel_stays_one() -> None:
    for port in (4789, 6081, 2152):
        found = take_apart(101, udp(port, b"hello there, this is none of it"))
        assert found is not None
        assert found.payload == b"hello there, this is none of it"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 0, 1, 2)])
def test_ipv4_fragments_are_reassembled(order: tuple[int, ...]) -> None:
    body = IPV4[20:] + bytes(range(60))
    body = body[:12] + b"\x50" + body[13:]
    pieces = [
        within_ip(6, body[0:24], 0x2000), within_ip(6, body[24:48], 0x2003), within_ip(6, body[48:], 0x0006),
    ]  # fmt: skip
    dissector = Dissector()
    *before, last = [dissector.take(101, pieces[number]) for number in order]
    assert before == [None] * len(before)
    assert last is not None
    assert last.payload == b"data" + bytes(range(60))
    assert dissector.left_out == {}


def test_ipv6_fragments_are_reassembled_and_atomic_ones_need_nothing() -> None:
    def fragment(offset: int, data: bytes) -> bytes:
        body = struct.pack("!BBHI", 6, 0, offset, 99) + data
        return IPV6[:4] + struct.pack("!HBB", len(body), 44, 64) + IPV6[8:40] + body

    dissector = Dissector()
    assert dissector.take(101, fragment(1, IPV6[40:56])) is None
    found = dissector.take(101, fragment(16, IPV6[56:]))
    assert found is not None
    assert found.payload == b"data"
    atomic = dissector.take(101, fragment(0, IPV6[40:]))
    assert atomic == found


def test_fragments_without_their_packet_are_counted() -> None:
    dissector = Dissector()
    assert dissector.take(101, within_ip(6, IPV4[20:], 0x2000)) is None
    dissector.finish()
    assert dissector.left_out == {"fragments of packets that are not complete": 1}


def test_fragments_are_bounded() -> None:
    dissector = Dissector()
    for number in range(2000):
        packet = within_ip(6, bytes(1400), 0x2000)
        assert dissector.take(101, packet[:4] + struct.pack("!H", number) + packet[6:]) is None
    assert dissector.left_out["fragments of packets that are not complete"] == 2000 - 256


@given(some.sampled_from([0, 1, 9, 50, 51, 101, 104, 108, 109, 113, 117, 239, 276]), some.binary(max_size=120))
def test_nothing_is_raised(link_type: int, data: bytes) -> None:
    take_apart(link_type, data, check=True)


@given(some.integers(0, len(IPV6) - 1), some.integers(0, 255), some.integers(0, len(IPV6)))
def test_nothing_is_raised_for_what_is_damaged(place: int, value: int, length: int) -> None:
    data = bytearray(IPV6)
    data[place] = value
    take_apart(101, bytes(data[:length]), check=True)
