"""One connection as the packets that a capture of it would hold: handshake, segments, the ends.

Nothing of it was seen on the wire, where others than wirecat need no rights to look: the bytes, their order, their times
and the ends are what happened, the packets around them are worked out. An acknowledgement says what the program had by
then. A chunk that is too large for one segment is cut, and PSH marks the last of its segments: so a reader finds the
program's own chunks again.
"""

from __future__ import annotations

from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire.pcapng import packet
from wirecat.wire.segment import ACK, FIN, LARGEST_DATAGRAM, LARGEST_SEGMENT, PSH, RST, SYN, Way

TYPE_CHECKING = False
if TYPE_CHECKING:
    End = tuple[bytes, int]
    Pieces = list[bytes | memoryview]

# Bytes on their way before an acknowledgement of their own is written: else readers would see a window overflow.
_UNCONFIRMED = 1 << 24
_MOST_IN_A_WINDOW = 0xFFFF


class Conversation:
    """``local`` and ``peer`` are the ends as they stand in packets (packed address, port), ``by_us`` whether this side
    connected, ``datagrams`` whether it is UDP. Each method gives what is to be written, and takes the time in nanoseconds
    since 1970."""

    __slots__ = ("_by_us", "_confirmed", "_ended", "_next", "_ways", "datagrams", "local", "peer")

    def __init__(self, local: End, peer: End, *, by_us: bool, datagrams: bool = False, first: int = 0) -> None:
        """``first`` is the first sequence number on both sides."""
        self.local = local
        self.peer = peer
        self._by_us = by_us
        self.datagrams = datagrams
        self._ways = {SENT: Way(*local, *peer), RECEIVED: Way(*peer, *local)}
        self._next = {SENT: first, RECEIVED: first}
        self._confirmed = {SENT: first, RECEIVED: first}  # up to where the other side has acknowledged it
        self._ended: set[str] = set()

    @property
    def sequence_numbers(self) -> tuple[int, int]:
        """The next of what is sent and of what is received, as they were counted."""
        return self._next[SENT], self._next[RECEIVED]

    def handshake(self, time_ns: int, comment: str = "") -> Pieces:
        """How it began (RFC 9293 section 3.5); nothing for datagrams."""
        if self.datagrams:
            return []
        first, second = (SENT, RECEIVED) if self._by_us else (RECEIVED, SENT)
        return [
            *self._packet(time_ns, first, SYN, comment=comment),
            *self._packet(time_ns, second, SYN | ACK),
            *self._packet(time_ns, first, ACK),
        ]

    def chunk(self, time_ns: int, direction: str, data: bytes | memoryview) -> Pieces:
        """Bytes went by."""
        if self.datagrams:
            data = data[:LARGEST_DATAGRAM]
            return packet(time_ns, (self._ways[direction].udp(data), data))
        size = len(data)
        if size <= LARGEST_SEGMENT:
            pieces = self._packet(time_ns, direction, PSH | ACK, data)
        else:
            view = memoryview(data)
            pieces = []
            for start in range(0, size, LARGEST_SEGMENT):
                segment = view[start : start + LARGEST_SEGMENT]
                flags = PSH | ACK if start + LARGEST_SEGMENT >= size else ACK
                pieces += self._packet(time_ns, direction, flags, segment)
        if self._next[direction] - self._confirmed[direction] >= _UNCONFIRMED:
            pieces += self._packet(time_ns, _other(direction), ACK)
        return pieces

    def skip(self, direction: str, size: int) -> None:
        """``size`` bytes went by that could not be kept: they leave a hole in the numbers."""
        self._next[direction] += size

    def end(self, time_ns: int, direction: str) -> Pieces:
        """A direction has ended (a FIN), and the other side has seen it."""
        if self.datagrams or direction in self._ended:
            return []
        pieces = self._packet(time_ns, direction, FIN | ACK)
        self._ended.add(direction)
        return pieces + self._packet(time_ns, _other(direction), ACK)

    def reset(self, time_ns: int, direction: str) -> Pieces:
        """The side that sends in ``direction`` broke off; what comes from it afterwards is none of this."""
        if self.datagrams or len(self._ended) == 2:
            return []
        self._ended |= {SENT, RECEIVED}
        return self._packet(time_ns, direction, RST | ACK)

    def _packet(
        self, time_ns: int, direction: str, flags: int, data: bytes | memoryview = b"", comment: str = ""
    ) -> Pieces:
        sequence = self._next[direction]
        opposite = _other(direction)
        acknowledged = 0
        if flags & ACK:
            acknowledged = self._confirmed[opposite] = self._next[opposite]
        head = self._ways[direction].tcp(sequence, acknowledged, flags, data, _MOST_IN_A_WINDOW)
        # SYN and FIN count as a byte each (RFC 9293 section 3.4).
        self._next[direction] = sequence + len(data) + (1 if flags & (SYN | FIN) else 0)
        return packet(time_ns, (head, data) if data else (head,), comment)


def _other(direction: str) -> str:
    return RECEIVED if direction == SENT else SENT
