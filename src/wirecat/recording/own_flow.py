"""One connection of a recording by wirecat: its packets stand in order, and PSH marks the end of each piece.

What the recorder could not keep leaves a gap in the sequence numbers that nothing fills.
"""

from __future__ import annotations

from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark, missing_mark
from wirecat.wire.segment import ACK, FIN, PSH, RST, SYN, TCP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.recording.model import RecordedConnection
    from wirecat.wire.packet import Transported

    Entry = Chunk | Mark

LARGEST_CHUNK = 1 << 24  # bytes that are put together where no boundary comes
_MASK = 0xFFFFFFFF
_HALF = 1 << 31
_HANDSHAKE = ((CLIENT, SYN), (SERVER, SYN | ACK), (CLIENT, ACK))  # RFC 9293 section 3.5


class OwnConnection:
    """A connection while it is read."""

    __slots__ = ("flows", "record")

    def __init__(self, record: RecordedConnection) -> None:
        self.record = record
        self.flows = {side: OwnFlow(record, side) for side in (CLIENT, SERVER)}
        self.flows[CLIENT].other, self.flows[SERVER].other = self.flows[SERVER], self.flows[CLIENT]


class OwnFlow:
    """One direction: what ``sender`` sent. ``expected`` is the sequence number of the next byte."""

    __slots__ = ("_end_sequence", "_missing", "_parts", "_size", "expected", "other", "record", "sender", "side")
    other: OwnFlow

    def __init__(self, record: RecordedConnection, sender: str) -> None:
        self.record = record
        self.sender = sender
        self.side = record.side(sender)
        self.expected: int | None = None
        self._parts: list[bytes] = []  # of a piece whose end has not come
        self._size = 0
        self._missing = 0  # before the first of them
        self._end_sequence: int | None = None  # behind its FIN, until that is acknowledged

    def take(self, found: Transported, time_ns: int, out: list[Entry]) -> None:
        """The next packet of this direction."""
        record, flags, payload = self.record, found.flags, found.payload
        record.last_ns = max(record.last_ns, time_ns)
        if found.protocol != TCP:
            self._chunk(payload, found.missing, time_ns, out)
            return
        times = record.handshake
        if len(times) < len(_HANDSHAKE) and (self.sender, flags & (SYN | ACK)) == _HANDSHAKE[len(times)]:
            times.append(time_ns)
        sequence = found.sequence + bool(flags & SYN)
        if flags & ACK and self.other._end_sequence == found.acknowledged:
            self.other._end_sequence = None
            self.other.side.confirmed_ns = time_ns
        self._skip_to(sequence, time_ns, out)
        if payload:
            self._parts.append(payload)
            self._size += len(payload)
            self.expected = sequence + len(payload) & _MASK
            if flags & PSH or self._size >= LARGEST_CHUNK:
                self.boundary(time_ns, out)
        if flags & (FIN | RST) and self.side.ended_ns is None:
            self.boundary(time_ns, out)
            self._tell_missing(time_ns, out)
            self.side.ended_ns = time_ns
            self._end_sequence = None if flags & RST else sequence + len(payload) + 1 & _MASK
            out.append(Mark(record.id, time_ns, "reset" if flags & RST else "end", self.sender))

    def boundary(self, time_ns: int, out: list[Entry]) -> None:
        """A piece ends here."""
        if self._parts:
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            missing = self._missing
            self._parts, self._size, self._missing = [], 0, 0
            self._chunk(data, missing, time_ns, out)

    def _skip_to(self, sequence: int, time_ns: int, out: list[Entry]) -> None:
        gap = sequence - self.expected & _MASK if self.expected is not None else 0
        if 0 < gap < _HALF:
            self.boundary(time_ns, out)
            self._missing += gap
        self.expected = sequence & _MASK

    def _chunk(self, data: bytes, missing: int, time_ns: int, out: list[Entry]) -> None:
        side = self.side
        side.data += len(data)
        side.chunks += 1
        side.missing += missing
        out.append(Chunk(self.record.id, time_ns, self.sender, data, missing))

    def _tell_missing(self, time_ns: int, out: list[Entry]) -> None:
        missing, self._missing = self._missing, 0
        if missing:
            self.side.missing += missing
            out.append(missing_mark(self.record.id, time_ns, self.sender, missing))
