"""Packets as others capture them, on each kind of link."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.packet import take_apart
from wirecat.wire.segment import ACK, PSH, Way

IPV4 = Way(bytes([10, 0, 0, 1]), 1000, bytes([10, 0, 0, 2]), 80).tcp(7, 8, PSH | ACK, b"data") + b"data"
IPV6 = Way(bytes(15) + b"\1", 1000, bytes(15) + b"\2", 80).tcp(7, 8, PSH | ACK, b"data") + b"data"
MACS = bytes(12)


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


def test_what_carries_neither_is_none() -> None:
    assert take_apart(1, MACS + b"\x08\x06" + bytes(28)) is None  # ARP
    assert take_apart(101, IPV4[:9] + b"\x01" + IPV4[10:]) is None  # ICMP
    assert take_apart(101, IPV4[:6] + b"\x20\0" + IPV4[8:]) is None  # a fragment
    assert take_apart(147, IPV4) is None  # a kind of link that nobody told us of


@given(some.sampled_from([0, 1, 101, 108, 113, 276]), some.binary(max_size=120))
def test_nothing_is_raised(link_type: int, data: bytes) -> None:
    take_apart(link_type, data, check=True)


@given(some.integers(0, len(IPV6) - 1), some.integers(0, 255), some.integers(0, len(IPV6)))
def test_nothing_is_raised_for_what_is_damaged(place: int, value: int, length: int) -> None:
    data = bytearray(IPV6)
    data[place] = value
    take_apart(101, bytes(data[:length]), check=True)
