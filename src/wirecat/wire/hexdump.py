"""Hex dumps as ncat's ``-x`` writes them: offset, 16 pairs of digits, and the same bytes as ASCII.

    0000   48 61 6c 6c 6f 20 57 65  6c 74 0a                 Hallo.Welt.

Each line has 73 columns, the last one of a piece too: spaces fill it up. A space is shown as a full stop, as is all
that is not a visible ASCII character. Offsets begin at 0 in each piece.
"""

from __future__ import annotations

_ROW = 16
_HALF = 8
# What is shown for each byte: the visible ASCII characters, 0x21 to 0x7E, as they are.
_SHOWN = bytes(code if 0x21 <= code <= 0x7E else ord(".") for code in range(256))


def hexdump(data: bytes | bytearray | memoryview) -> bytes:
    """The lines for one piece of a stream, each with its line feed; nothing for an empty piece.

    The offset has four hex digits, and more from 64 KiB on.

    >>> print(hexdump(b"Hi there").decode(), end="")
    0000   48 69 20 74 68 65 72 65                           Hi.there
    """
    piece = bytes(data)
    lines = []
    for offset in range(0, len(piece), _ROW):
        row = piece[offset : offset + _ROW]
        pairs = f"{row[:_HALF].hex(' '):<23}  {row[_HALF:].hex(' '):<23}"
        shown = row.translate(_SHOWN).decode("ascii")
        lines.append(f"{offset:04x}   {pairs}  {shown:<{_ROW}}\n")
    return "".join(lines).encode("ascii")
