"""The Internet checksum (RFC 1071), fast enough in pure Python for whole recordings."""

from __future__ import annotations

_PIECE = 4096


def ones_sum(data: bytes | memoryview) -> int:
    """The ones' complement sum of ``data`` as big-endian 16-bit words, 0 to 0xFFFF; an odd byte at the end counts as if
    a zero followed (RFC 1071 section 1).

    A number modulo 0xFFFF is the sum of its 16-bit digits, carries wrapped round: so the interpreter's long integers do
    the adding. Pieces are added up first, because adding costs less than dividing.

    >>> hex(ones_sum(bytes.fromhex("0001f203f4f5f6f7")))
    '0xddf2'
    """
    size = len(data)
    if size & 1:
        data, size = bytes(data) + b"\0", size + 1
    if size <= _PIECE:
        return int.from_bytes(data, "big") % 0xFFFF
    view = memoryview(data)
    whole = size // _PIECE * _PIECE
    total = int.from_bytes(view[whole:], "big")
    for start in range(0, whole, _PIECE):
        total += int.from_bytes(view[start : start + _PIECE], "big")
    return total % 0xFFFF


def checksum(total: int) -> int:
    """What is written into a header whose words, and those of what it covers, add up to ``total`` (which they do to
    0xFFFF or not at all: no header is all zeros). In UDP 0 would say that there is none: 0xFFFF stands for it there
    (RFC 768), and there alone (RFC 1624 section 3)."""
    return -total % 0xFFFF
