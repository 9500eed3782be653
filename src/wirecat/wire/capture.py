"""Captures taken apart: pcapng and pcap files, by wirecat and by others, however damaged, piece by piece as they come.

A block that makes no sense is damage: it is reported, and reading goes on at the next block that does. Nothing that a
file says makes this ask for more memory than LARGEST_BLOCK. A time that makes no sense is no reason to lose a packet: it
is kept without a time, and counted.
"""

from __future__ import annotations

import re
import struct
from collections import namedtuple

from wirecat.wire import pcapng
from wirecat.wire.capture_items import NO_TIME, Custom, Damage, Packet, Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BLOCK = 1 << 24  # bytes; the largest packet is a 64th of it
_LARGEST_FOUND = 1 << 18  # bytes of a block that is found again behind damage
_LATEST = (1 << 63) - 1  # nanoseconds since 1970: in the year 2262
_MOST_OPTIONS = 1000

_KINDS = (
    pcapng.SECTION_HEADER, pcapng.INTERFACE, pcapng.OLD_PACKET, pcapng.SIMPLE_PACKET, pcapng.PACKET, pcapng.STATISTICS,
)  # fmt: skip
# How one of them begins, in either byte order.
_BEGINNINGS = {
    order: re.compile(b"|".join(re.escape(struct.pack(order + "I", kind)) for kind in _KINDS)) for order in "<>"
}
# Blocks that have nothing to do with what went over a wire, and are passed over: names, statistics, secrets, the journal's,
# the system calls' (the table of block types in the draft).
_PASSED_OVER = (4, 7, 8, 9, 10, pcapng.CUSTOM, pcapng.CUSTOM_NOT_COPIED)
_CALLS = range(0x201, 0x300)
# The first bytes of a pcap file (draft-ietf-opsawg-pcap section 4): byte order and the unit of its times, in nanoseconds.
# The last two are a modified form, with 8 bytes more in each record's header (interface, protocol, kind of packet).
_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, 16), b"\xa1\xb2\xc3\xd4": (">", 1000, 16),
    b"\x4d\x3c\xb2\xa1": ("<", 1, 16), b"\xa1\xb2\x3c\x4d": (">", 1, 16),
    b"\x34\xcd\xb2\xa1": ("<", 1000, 24), b"\xa1\xb2\xcd\x34": (">", 1000, 24),
}  # fmt: skip
_PCAP_HEADER = 24


class _Interface(namedtuple("_Interface", ("link_type", "snap_length", "times", "per", "offset"))):
    """What a pcapng file says of an interface: a time is ``units * times // per + offset`` nanoseconds."""

    __slots__ = ()

    link_type: int
    snap_length: int  # 0: no limit
    times: int
    per: int
    offset: int


class CaptureParser:
    """Give it the file's bytes with ``feed`` and tell it the end with ``finish``; each gives what was read by then.

    ``kind`` is ``pcapng``, ``pcap`` or, where the first bytes are neither's, ``unknown``; empty before they are there.
    ``wrong_times`` counts the packets whose time makes no sense.
    """

    def __init__(self) -> None:
        self.kind = ""
        self.wrong_times = 0
        self._buffer = b""
        self._place = 0  # in the buffer: what is before it has been read
        self._offset = 0  # in the file: where the buffer begins
        self._order = "<"
        self._unit = 1000
        self._record = 16  # bytes of a pcap record's header
        self._link_type = 0
        self._interfaces: list[_Interface] = []
        self._damaged_at: int | None = None
        self._reason = ""

    def feed(self, data: bytes) -> Iterator[Section | Packet | Custom | Damage]:
        """The next bytes of the file. To be gone through to its end before the next call."""
        self._buffer += data
        if not self.kind and len(self._buffer) >= _PCAP_HEADER:
            self._recognise()
        yield from self._read(at_end=False)
        self._buffer = self._buffer[self._place :]
        self._offset += self._place
        self._place = 0

    def finish(self) -> Iterator[Section | Packet | Custom | Damage]:
        """The file ends here."""
        if not self.kind:
            self._recognise()
        yield from self._read(at_end=True)
        left = len(self._buffer) - self._place
        if self._damaged_at is not None:
            yield self._damage(self._offset + len(self._buffer))
        elif left:
            yield Damage(self._offset + self._place, left, "the file ends in the middle of a block", torn=True)
        self._place = len(self._buffer)

    def _recognise(self) -> None:
        head = bytes(self._buffer[:_PCAP_HEADER])
        if head[:4] in _PCAP and len(head) == _PCAP_HEADER:
            self.kind = "pcap"
            self._order, self._unit, self._record = _PCAP[head[:4]]
            self._link_type = struct.unpack(self._order + "I", head[20:24])[0] & 0xFFFF
            self._place = _PCAP_HEADER
        elif head[:4] == struct.pack("<I", pcapng.SECTION_HEADER) or head[8:12] in (
            struct.pack("<I", pcapng.BYTE_ORDER), struct.pack(">I", pcapng.BYTE_ORDER),
        ):  # fmt: skip
            self.kind = "pcapng"
        else:
            self.kind = "unknown"

    def _read(self, *, at_end: bool) -> Iterator[Section | Packet | Custom | Damage]:
        if self.kind == "pcapng":
            yield from self._blocks(at_end)
        elif self.kind == "pcap":
            yield from self._records()
        elif self.kind:
            self._place = len(self._buffer)

    def _blocks(self, at_end: bool) -> Iterator[Section | Packet | Custom | Damage]:
        while True:
            if self._damaged_at is not None:
                if not self._find_next(at_end):
                    return
                yield self._damage(self._offset + self._place)
            yield from self._packets()
            if len(self._buffer) - self._place < 12:
                return
            length = self._length_at(self._place)
            if length < 0:
                self._lose("its length makes no sense")
                continue
            if self._place + length > len(self._buffer):
                if at_end and self._another_behind():
                    self._lose("its length makes no sense")
                    continue
                return
            end = self._place + length
            body = self._buffer[self._place + 8 : end - 4]
            kind = self._number_at(self._place)
            if self._number_at(end - 4) != length:
                self._lose("its two lengths differ")
                continue
            try:
                item = self._block(kind, body)
            except (struct.error, IndexError, ValueError) as error:
                self._lose(f"it cannot be read ({error})")
                continue
            self._place = end
            if item is not None:
                yield item

    def _packets(self) -> Iterator[Packet]:
        """The packets that stand here one behind another and are whole: most of a file, at a third of the cost."""
        buffer, place, interfaces = self._buffer, self._place, self._interfaces
        unpack, number = struct.Struct(self._order + "7I").unpack_from, struct.Struct(self._order + "I").unpack_from
        end = len(buffer)
        while end - place >= 32:
            kind, length, interface, high, low, captured, size = unpack(buffer, place)
            behind = place + length
            if kind != pcapng.PACKET or not 32 <= length <= LARGEST_BLOCK or length & 3 or behind > end:
                break
            if captured > length - 32 or interface >= len(interfaces) or number(buffer, behind - 4)[0] != length:
                break
            link_type, _, times, per, offset = interfaces[interface]
            time_ns = (high << 32 | low) * times // per + offset
            if not 0 <= time_ns <= _LATEST:
                break
            start, place = place + 28, behind
            self._place = place
            yield tuple.__new__(Packet, (time_ns, link_type, buffer[start : start + captured], size))

    def _number_at(self, place: int) -> int:
        number: int = struct.unpack_from(self._order + "I", self._buffer, place)[0]
        return number

    def _length_at(self, place: int) -> int:
        """The length of the block there, or -1 where it makes no sense. A section header sets the byte order."""
        if self._buffer[place : place + 4] == b"\x0a\x0d\x0d\x0a":
            order = self._buffer[place + 8 : place + 12]
            if order == struct.pack("<I", pcapng.BYTE_ORDER):
                self._order = "<"
            elif order == struct.pack(">I", pcapng.BYTE_ORDER):
                self._order = ">"
        length = self._number_at(place + 4)
        return length if 12 <= length <= LARGEST_BLOCK and length % 4 == 0 else -1

    def _lose(self, reason: str) -> None:
        """The block here is damaged: look for the next behind its first byte."""
        self._damaged_at = self._offset + self._place
        self._reason = f"a block is damaged: {reason}"
        self._place += 1

    def _damage(self, end: int) -> Damage:
        start = self._damaged_at if self._damaged_at is not None else end
        self._damaged_at = None
        return Damage(start, end - start, self._reason)

    def _find_next(self, at_end: bool) -> bool:
        """Go to the next block that is whole. False where there is none yet; what cannot begin one is passed over."""
        found = self._candidate(self._place)
        if found >= 0:
            self._place = found
            return True
        keep = 0 if at_end else _LARGEST_FOUND
        self._place = max(self._place, len(self._buffer) - keep)
        return False

    def _another_behind(self) -> bool:
        return self._candidate(self._place + 1) >= 0

    def _candidate(self, start: int) -> int:
        """Where the next block begins that has a known kind and two lengths that agree; -1 if there is none."""
        for match in _BEGINNINGS[self._order].finditer(self._buffer, start):
            place = match.start()
            if len(self._buffer) - place < 12:
                return -1
            length = self._number_at(place + 4)
            fits = 12 <= length <= _LARGEST_FOUND and length % 4 == 0 and place + length <= len(self._buffer)
            if fits and self._number_at(place + length - 4) == length:
                return place
        return -1

    def _block(self, kind: int, body: bytes) -> Section | Packet | Custom | None:
        order = self._order
        if kind == pcapng.PACKET or kind == pcapng.OLD_PACKET:
            # An old packet's interface has 16 bits; the other 16 count drops (appendix of the draft).
            head = "HHIIII" if kind == pcapng.OLD_PACKET else "IIIII"
            fields = struct.unpack_from(order + head, body)
            interface, (high, low, captured, size) = fields[0], fields[-4:]
            data = body[20 : 20 + captured]
            if len(data) < captured:
                raise ValueError("the packet is longer than its block")
            link_type, _, times, per, offset = self._interfaces[interface]
            time_ns = (high << 32 | low) * times // per + offset
            if not 0 <= time_ns <= _LATEST:
                self.wrong_times += 1
                time_ns = NO_TIME
            return Packet(time_ns, link_type, data, size)
        if kind == pcapng.SIMPLE_PACKET:  # section 4.4: no time, and cut to the interface's snap length
            size = struct.unpack_from(order + "I", body)[0]
            first = self._interfaces[0]
            return Packet(NO_TIME, first.link_type, body[4 : 4 + min(size, first.snap_length or size)], size)
        if kind == pcapng.STATISTICS:
            own = self._options(body[12:]).get(pcapng.CUSTOM_BYTES, b"")
            return Custom(struct.unpack_from(order + "I", own)[0], own[4:]) if own else None
        if kind == pcapng.INTERFACE:
            link_type, snap_length = struct.unpack_from(order + "HxxI", body)
            told = self._options(body[8:])
            resolution = told.get(pcapng.RESOLUTION, b"\x06")[0]
            # The highest bit tells whether it is a power of 2 or of 10 (section 4.2).
            unit = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10 ** (resolution & 0x7F)
            offset = told.get(pcapng.TIME_OFFSET, b"")
            seconds = struct.unpack(order + "q", offset)[0] if len(offset) == 8 else 0
            self._interfaces.append(_Interface(link_type, snap_length, 10**9, unit, seconds * 10**9))
        elif kind == pcapng.SECTION_HEADER:
            if struct.unpack_from(order + "I", body)[0] != pcapng.BYTE_ORDER:
                raise ValueError("its byte order is unknown")
            self._interfaces = []
            told = self._options(body[16:])
            texts = [told.get(code, b"").decode("utf-8", "replace") for code in (pcapng.PROGRAM, pcapng.SYSTEM, 1)]
            return Section(*texts)
        elif kind not in _PASSED_OVER and kind not in _CALLS and kind < 0x80000000:
            raise ValueError("its kind is unknown")
        return None

    def _options(self, data: bytes) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        place = 0
        for _ in range(_MOST_OPTIONS):
            if place + 4 > len(data):
                break
            code, length = struct.unpack_from(self._order + "HH", data, place)
            if code == pcapng.END:
                break
            value = data[place + 4 : place + 4 + length]
            if code == pcapng.CUSTOM_BYTES and found.get(code, b"")[:4] == value[:4]:
                value = found[code] + value[4:]  # it did not fit into one
            found[code] = value
            place += 4 + length + (-length & 3)
        return {code: value for code, value in found.items() if value}

    def _records(self) -> Iterator[Packet]:
        buffer, place, header, link_type, unit = self._buffer, self._place, self._record, self._link_type, self._unit
        unpack = struct.Struct(self._order + "IIII").unpack_from
        end, most = len(buffer), 10**9 // unit
        new = tuple.__new__  # half the cost of a named tuple's constructor
        while end - place >= header:
            seconds, fraction, captured, size = unpack(buffer, place)
            if captured > LARGEST_BLOCK:
                # Records have but one length: behind one that is wrong nothing can be found again.
                self._damaged_at = self._offset + place
                self._reason = "a packet is damaged: its length makes no sense"
                self.kind = "unknown"
                place = end
                break
            start = place + header
            if start + captured > end:
                break
            place = start + captured
            time_ns = seconds * 1_000_000_000 + fraction * unit
            if fraction >= most:
                self.wrong_times += 1
                time_ns = NO_TIME
            yield new(Packet, (time_ns, link_type, buffer[start:place], size))
        self._place = place
