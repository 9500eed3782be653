"""The Internet checksum, against the sum written out as RFC 1071 has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.checksum import checksum, ones_sum


def slow_sum(data: bytes) -> int:
    """As in RFC 1071 section 4.1, word by word."""
    total = sum(
        (data[place] << 8) + (data[place + 1] if place + 1 < len(data) else 0) for place in range(0, len(data), 2)
    )
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total % 0xFFFF  # the two zeros of ones' complement are one here


def test_the_example_of_the_rfc() -> None:
    assert ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2
    assert checksum(0xDDF2) == 0x220D


@given(some.binary(max_size=300))
def test_short_ones(data: bytes) -> None:
    assert ones_sum(data) == slow_sum(data)


@given(some.integers(0, 30_000), some.binary(min_size=1, max_size=50))
def test_long_ones(size: int, seed: bytes) -> None:
    data = (seed * (size // len(seed) + 1))[:size]
    assert ones_sum(memoryview(data)) == slow_sum(data)
    whole = data + b"\0" * (len(data) & 1)
    assert ones_sum(whole + checksum(ones_sum(data)).to_bytes(2, "big")) == 0
