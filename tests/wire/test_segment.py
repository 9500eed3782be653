"""Headers of segments and datagrams: taken apart again they are what they were, checksums and all."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.checksum import ones_sum
from wirecat.wire.packet import Dissector
from wirecat.wire.pcapng import LINKTYPE_RAW
from wirecat.wire.segment import ACK, PSH, SYN, TCP, UDP, Way

ENDS = some.sampled_from([("127.0.0.1", "192.168.1.7"), ("::1", "fe80::1234")])


@given(ENDS, some.integers(0, 2**40), some.integers(0, 2**40), some.binary(max_size=200))
def test_a_segment(ends: tuple[str, str], sequence: int, acknowledged: int, payload: bytes) -> None:
    source, target = (ip_address(end).packed for end in ends)
    head = Way(source, 50000, target, 80).tcp(sequence, acknowledged, PSH | ACK, payload)
    found = Dissector().take(LINKTYPE_RAW, head + payload, check=True)
    assert found is not None
    assert (found.protocol, found.source, found.target) == (TCP, (source, 50000), (target, 80))
    assert (found.sequence, found.acknowledged) == (sequence % 2**32, acknowledged % 2**32)
    assert (found.flags, found.payload, found.missing, found.intact) == (PSH | ACK, payload, 0, True)
    if len(source) == 4:
        assert ones_sum(head[:20]) == 0


@given(ENDS, some.binary(max_size=200))
def test_a_datagram(ends: tuple[str, str], payload: bytes) -> None:
    source, target = (ip_address(end).packed for end in ends)
    found = Dissector().take(LINKTYPE_RAW, Way(source, 1, target, 2).udp(payload) + payload, check=True)
    assert found is not None
    assert (found.protocol, found.payload, found.intact) == (UDP, payload, True)


def test_a_syn_says_how_large_segments_may_be() -> None:
    head = Way(bytes(4), 1, bytes(4), 2).tcp(9, 0, SYN)
    found = Dissector().take(LINKTYPE_RAW, head, check=True)
    assert found is not None
    assert (len(head), found.flags, found.payload, found.intact) == (48, SYN, b"", True)


@pytest.mark.parametrize("place", [12, 20, 24, 33, 41])
def test_a_flipped_bit_is_found(place: int) -> None:
    data = bytearray(Way(bytes(4), 1, bytes(4), 2).tcp(9, 0, ACK, b"hello") + b"hello")
    data[place] ^= 4
    found = Dissector().take(LINKTYPE_RAW, bytes(data), check=True)
    assert found is None or found.intact is False


def test_a_checksum_of_zero_is_zero_in_a_segment_and_all_ones_in_a_datagram() -> None:
    """RFC 1624 section 3 and RFC 768: only where 0 says that there is none it is written otherwise."""
    way = Way(bytes([127, 0, 0, 1]), 50000, bytes([127, 0, 0, 1]), 80)
    for head_of, place, written in (
        (lambda payload: way.tcp(1, 1, ACK, payload), 36, b"\0\0"),
        (way.udp, 26, b"\xff\xff"),
    ):
        rest = int.from_bytes(
            head_of(b"\0\0")[place : place + 2], "big"
        )  # what makes it all ones, so that its complement is 0
        assert head_of(rest.to_bytes(2, "big"))[place : place + 2] == written
