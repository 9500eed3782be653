"""Netlink attributes as bytes: read in order, written again (netlink(7), struct nlattr).

An attribute's kind may carry the flag NESTED. ``attributes`` keeps it, so that what was read can be written unchanged;
``fields`` removes it, to look attributes up.
"""

from __future__ import annotations

import struct
from sys import byteorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NESTED = 0x8000
_KIND = 0x3FFF  # without NESTED and NLA_F_NET_BYTEORDER
_HEADER = struct.Struct("=HH")  # length with this header, kind


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each attribute of ``data`` in order: (kind with its flags, value). One that does not fit ends the list."""
    start, end = 0, len(data)
    unpack = _HEADER.unpack_from
    while start + 4 <= end:
        length, kind = unpack(data, start)
        if length < 4 or start + length > end:
            return
        yield kind, data[start + 4 : start + length]
        start += (length + 3) & ~3


def backwards(data: bytes) -> bytes:
    """The attributes of ``data`` in reverse order, uncut: a set has tens of thousands."""
    parts, start, end = [], 0, len(data)
    while start + 4 <= end:
        length = int.from_bytes(data[start : start + 2], byteorder)
        if length < 4 or start + length > end:
            break
        step = (length + 3) & ~3
        parts.append(data[start : start + step])
        start += step
    parts.reverse()
    return b"".join(parts)


def fields(data: bytes) -> dict[int, bytes]:
    """The attributes of ``data`` by kind, without flags; of equal kinds the last."""
    return {kind & _KIND: value for kind, value in attributes(data)}


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _HEADER.pack(len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def without(data: bytes, kinds: frozenset[int]) -> bytes:
    """The attributes of ``data`` but those of ``kinds``."""
    return b"".join(attribute(kind, value) for kind, value in attributes(data) if kind & _KIND not in kinds)


def text(value: bytes) -> str:
    """A string attribute, with or without its closing zero byte."""
    return value.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def string(value: str) -> bytes:
    """A string as an attribute's value, with its closing zero byte."""
    return value.encode("utf-8", "replace") + b"\0"


def big32(value: bytes) -> int:
    """Four bytes in network order, as nf_tables and ipset write numbers."""
    return int.from_bytes(value[:4], "big")


def native32(value: bytes) -> int:
    """Four bytes in this machine's order, as rtnetlink writes numbers."""
    return int(struct.unpack_from("=I", value)[0]) if len(value) >= 4 else 0
