"""The blocks of pcapng, as bytes: what a recording is written in (draft-ietf-opsawg-pcapng).

A file is a section header, a description of each interface, then packets and whatever else, block by block. Every block
begins and ends with its length, so a reader finds its way whatever a block means, and sees where a file was torn off.
All of it is little-endian here; ``wirecat.wire.capture`` reads either order.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SECTION_HEADER = 0x0A0D0D0A
BYTE_ORDER = 0x1A2B3C4D
INTERFACE = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
STATISTICS = 5
PACKET = 6
CUSTOM = 0x00000BAD
CUSTOM_NOT_COPIED = 0x40000BAD

LINKTYPE_RAW = 101  # a packet begins with its IPv4 or IPv6 header
# The number of whoever a custom option belongs to. This one is set aside for examples (RFC 5612), so an option of ours is
# known by what its data begin with.
ENTERPRISE = 32473

COMMENT, END = 1, 0
HARDWARE, SYSTEM, PROGRAM = 2, 3, 4  # options of a section header
NAME, DESCRIPTION, RESOLUTION, TIME_OFFSET = 2, 3, 9, 14  # options of an interface
DROPPED = 5  # an option of statistics: packets that were dropped
CUSTOM_BYTES = 2989  # an option of any block: somebody's own
NANOSECONDS = 9  # a resolution: 10 to the power of -9 seconds

_HEAD = struct.Struct("<II")
_SECTION = struct.Struct("<IHHq")
_INTERFACE = struct.Struct("<HHI")
_PACKET = struct.Struct("<IIIIIII")
_LENGTH = struct.Struct("<I")
_OPTION = struct.Struct("<HH")
_LONGEST_OPTION = 0xFFFF
_LONGEST_CUSTOM = 0xFFF0
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


def option(code: int, value: bytes) -> bytes:
    """One option (section 3.5); a value that is too long is cut."""
    value = value[:_LONGEST_OPTION]
    return _OPTION.pack(code, len(value)) + value + _PADDING[len(value) & 3]


def options(*rows: tuple[int, bytes]) -> bytes:
    """Options, and the mark of their end; nothing for none."""
    return b"".join(option(*row) for row in rows) + _OPTION.pack(END, 0) if rows else b""


def block(kind: int, body: bytes) -> bytes:
    """Any block (section 3.1): ``body`` is padded to whole words."""
    body += _PADDING[len(body) & 3]
    length = len(body) + 12
    return _HEAD.pack(kind, length) + body + _LENGTH.pack(length)


def section_header(program: str, system: str = "", hardware: str = "", comment: str = "") -> bytes:
    """The beginning of a file (section 4.1); its length is left open."""
    rows = [(COMMENT, comment), (HARDWARE, hardware), (SYSTEM, system), (PROGRAM, program)]
    told = options(*((code, text.encode("utf-8", "replace")) for code, text in rows if text))
    return block(SECTION_HEADER, _SECTION.pack(BYTE_ORDER, 1, 0, -1) + told)


def interface(link_type: int = LINKTYPE_RAW, name: str = "", description: str = "") -> bytes:
    """An interface (section 4.2) whose times are nanoseconds."""
    rows = [(NAME, name.encode()), (DESCRIPTION, description.encode("utf-8", "replace"))]
    told = options(*(row for row in rows if row[1]), (RESOLUTION, bytes([NANOSECONDS])))
    return block(INTERFACE, _INTERFACE.pack(link_type, 0, 0) + told)


def packet(nanoseconds: int, parts: Sequence[bytes | memoryview], comment: str = "") -> list[bytes | memoryview]:
    """A packet (section 4.3) on interface 0, as pieces that are to be written one behind the other: ``parts`` are not
    copied. ``nanoseconds`` since 1970."""
    size = 0
    for part in parts:
        size += len(part)
    padding = _PADDING[size & 3]
    told = options((COMMENT, comment.encode("utf-8", "replace"))) if comment else b""
    length = 32 + size + len(padding) + len(told)
    head = _PACKET.pack(
        PACKET, length, 0, nanoseconds >> 32 & 0xFFFFFFFF, nanoseconds & 0xFFFFFFFF, size, size
    )  # fmt: skip
    return [head, *parts, padding + told + _LENGTH.pack(length)]


def statistics(nanoseconds: int, own: bytes = b"", *, dropped: int | None = None, comment: str = "") -> bytes:
    """Statistics of interface 0 (section 4.6), which readers show apart from the packets: how many were ``dropped`` so
    far, and ``own``, bytes of our own in as many custom options as they need. (A custom block would be shown as a packet
    without a time, and spoil the times of the whole file.)"""
    rows = [(COMMENT, comment.encode("utf-8", "replace"))] if comment else []
    if dropped is not None:
        rows.append((DROPPED, struct.pack("<Q", dropped)))
    for start in range(0, len(own), _LONGEST_CUSTOM):
        rows.append((CUSTOM_BYTES, _LENGTH.pack(ENTERPRISE) + own[start : start + _LONGEST_CUSTOM]))
    head = struct.pack("<III", 0, nanoseconds >> 32 & 0xFFFFFFFF, nanoseconds & 0xFFFFFFFF)
    return block(STATISTICS, head + options(*rows))
