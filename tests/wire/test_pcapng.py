"""Blocks of pcapng, byte by byte where it matters, and as the program that everybody reads them with sees them."""

from __future__ import annotations

import struct

from wirecat.wire import pcapng


def test_a_block_says_its_length_twice_and_is_padded() -> None:
    made = pcapng.block(99, b"abcde")
    assert len(made) == 20
    assert struct.unpack("<II", made[:8]) == (99, 20)
    assert made[8:16] == b"abcde\0\0\0"
    assert struct.unpack("<I", made[16:]) == (20,)


def test_an_option_is_padded_but_says_its_own_length() -> None:
    assert pcapng.option(1, b"abc") == b"\x01\0\x03\0abc\0"
    assert len(pcapng.option(1, b"x" * 70_000)) == 4 + 65536


def test_a_packet_is_not_copied() -> None:
    data = b"payload"
    pieces = pcapng.packet(5_000_000_001, (b"head", data))
    assert pieces[2] is data
    joined = b"".join(pieces)
    kind, length, interface, high, low, captured, size = struct.unpack("<IIIIIII", joined[:28])
    assert (kind, length, interface, captured, size) == (6, len(joined), 0, 11, 11)
    assert high << 32 | low == 5_000_000_001
    assert struct.unpack("<I", joined[-4:]) == (len(joined),)
    assert len(joined) % 4 == 0


def test_a_comment_stands_behind_the_packet() -> None:
    joined = b"".join(pcapng.packet(0, (b"abcd",), "ein Gruß"))
    assert "ein Gruß".encode() in joined
    assert struct.unpack("<I", joined[4:8]) == (len(joined),)


def test_what_is_longer_than_an_option_takes_several() -> None:
    made = pcapng.statistics(7, b"x" * 150_000, dropped=3, comment="c")
    assert made.count(struct.pack("<I", pcapng.ENTERPRISE)) == 3
    assert made.count(b"x") == 150_000
