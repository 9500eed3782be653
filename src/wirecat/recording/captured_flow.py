"""One connection of a capture by others: its handshake, and what each side sent, in order.

A SYN that no answer follows opened nothing: the outcome is UNANSWERED, or REFUSED after a RST.

An acknowledgement that runs ahead of the bytes it confirms tells that they were not captured. But packets of the two
directions may stand in a file in the wrong order by a little: so one that carries no data counts from the next packet
of its side on, or after CROSSING.
"""

from __future__ import annotations

from wirecat.recording.model import CLIENT, REFUSED, SERVER, UNANSWERED, Chunk, Mark, missing_mark
from wirecat.wire.reassembly import Reassembler
from wirecat.wire.segment import ACK, FIN, RST, SYN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.recording.model import RecordedConnection
    from wirecat.wire.packet import Transported
    from wirecat.wire.reassembly import Memory, Piece

    Entry = Chunk | Mark

_new = tuple.__new__  # half the cost of a named tuple's constructor
CROSSING = 50_000_000  # nanoseconds
_FARTHEST_END = 1 << 30  # bytes: a FIN further ahead belongs to something else (RFC 7323 section 2.3)


class CapturedConnection:
    """What is known of one connection while it is read. ``settled``: its handshake is over, or was not captured."""

    __slots__ = ("flows", "opened", "record", "settled")

    def __init__(self, record: RecordedConnection, memory: Memory) -> None:
        self.record = record
        self.opened = False
        self.settled = False
        self.flows = {side: CapturedFlow(self, side, Reassembler(memory)) for side in (CLIENT, SERVER)}
        self.flows[CLIENT].other, self.flows[SERVER].other = self.flows[SERVER], self.flows[CLIENT]

    def open(self, time_ns: int, out: list[Entry]) -> None:
        """It is open: the server has answered, or data show that it had."""
        self.opened = True
        self.record.outcome = ""
        out.append(Mark(self.record.id, time_ns, "opened"))

    def revive(self) -> None:
        """A reset has not ended it: more comes."""
        record = self.record
        record.closed_ns, record.closed_by, record.reason = None, "", ""
        for flow in self.flows.values():
            flow.side.ended_ns = flow.end_place = None

    def handshake(self, flow: CapturedFlow, found: Transported, time_ns: int, out: list[Entry]) -> None:
        """A packet before it is known that the connection is open."""
        record, flags, sender = self.record, found.flags, flow.sender
        times = record.handshake
        if flags & SYN:
            flow.begin(found.sequence)
            record.attempts += sender == CLIENT and not flags & ACK
            if flags & ACK:
                if len(times) == 1 and sender == SERVER:
                    times.append(time_ns)
                if not self.opened:
                    self.open(time_ns, out)
            elif not times and sender == CLIENT:
                times.append(time_ns)
            return
        if flags & RST:
            if not self.opened and record.outcome == UNANSWERED:
                record.outcome = record.reason = REFUSED if sender == SERVER else "reset"
            return
        if len(times) == 2 and sender == CLIENT and flags & ACK:
            times.append(time_ns)
        if not self.opened:
            self.open(time_ns, out)
        self.settled = sender == CLIENT or bool(found.payload)


class CapturedFlow:
    """One direction of a connection: what ``sender`` sent. ``isn`` is the sequence number of its SYN, where that was seen,
    ``end_place`` where its FIN stands in the stream; ``waits`` is for the bound of what waits in all."""

    __slots__ = (
        "_confirmation", "_end_confirmed_ns", "_end_ns", "_given_ns", "_window_closed", "connection", "end_place", "isn",
        "other", "sender", "side", "stream", "waits",
    )  # fmt: skip
    other: CapturedFlow

    def __init__(self, connection: CapturedConnection, sender: str, stream: Reassembler) -> None:
        self.connection = connection
        self.sender = sender
        self.side = connection.record.side(sender)
        self.stream = stream
        self.waits = False
        self.isn: int | None = None
        self.end_place: int | None = None
        self._end_ns = 0
        self._given_ns = 0  # when the last bytes came that did not come in order
        self._end_confirmed_ns: int | None = None
        self._confirmation: tuple[int, int] | None = None  # an acknowledgement, and its time
        self._window_closed = False

    def begin(self, sequence: int) -> None:
        """A SYN with this number came. Of several the last counts, until data follow."""
        if self.isn is None or not self.stream.place:
            self.isn = sequence
            self.stream.begin(sequence + 1)

    def segment(self, found: Transported, time_ns: int, out: list[Entry]) -> None:
        """The next packet of this direction."""
        connection, other, stream = self.connection, self.other, self.stream
        record = connection.record
        _, _, payload, cut, sequence, acknowledged, flags, window, _ = found
        if time_ns > record.last_ns:
            record.last_ns = time_ns
        if not connection.settled or flags & SYN:
            connection.handshake(self, found, time_ns, out)
            sequence += flags >> 1 & 1  # a SYN takes a number of its own
        if other._confirmation is not None:
            other.resolve(out)
        if (other.stream.waiting or other.end_place is not None) and flags & ACK and not flags & RST:
            other.acknowledged(acknowledged, time_ns, bool(payload or flags & FIN), out)
        if not window or self._window_closed:
            self._watch_window(found, time_ns, out)
        if payload or cut:
            if sequence == stream.expected and not stream.waiting and not cut and self.end_place is None:
                missing, stream.missing = stream.missing, 0
                stream.take(payload)
                side = self.side
                side.data += len(payload)
                side.chunks += 1
                side.missing += missing
                out.append(_new(Chunk, (record.id, time_ns, self.sender, payload, missing)))
            else:
                self._uneven(sequence, found, time_ns, out)
        if flags & (FIN | RST):
            if flags & RST:
                self._reset(time_ns, out)
            else:
                self._fin(sequence + len(payload) + cut, time_ns, out)

    def _uneven(self, sequence: int, found: Transported, time_ns: int, out: list[Entry]) -> None:
        """Data that are not simply the next."""
        stream, record = self.stream, self.connection.record
        repeated, late, stray, conflicts = stream.repeated, stream.out_of_order, stream.stray, stream.conflicts
        pieces = stream.segment(sequence, found.payload, time_ns, found.missing)
        if stream.repeated > repeated:
            facts = {"bytes": stream.repeated - repeated}
            out.append(Mark(record.id, time_ns, "retransmission", self.sender, facts=facts))
        if stream.out_of_order > late:
            out.append(Mark(record.id, time_ns, "out_of_order", self.sender))
        if stream.stray > stray:
            facts = {"bytes": stream.stray - stray}
            out.append(Mark(record.id, time_ns, "stray", self.sender, facts=facts))
        if stream.conflicts > conflicts:
            facts = {"offset": stream.conflict_at}
            out.append(Mark(record.id, time_ns, "conflict", self.sender, facts=facts))
        if pieces and record.reason == "reset":
            self.connection.revive()
        self._give(pieces, out)
        self._note()
        if self._confirmation is not None and time_ns - self._confirmation[1] > CROSSING:
            self.resolve(out)
        self._end_where_reached(out)

    def _note(self) -> None:
        side, stream = self.side, self.stream
        side.repeated, side.out_of_order, side.stray = stream.repeated, stream.out_of_order, stream.stray
        side.conflicts, side.keep_alives = stream.conflicts, stream.keep_alives

    def _give(self, pieces: Iterable[Piece], out: list[Entry]) -> None:
        side, number = self.side, self.connection.record.id
        for missing, data, time_ns in pieces:
            side.data += len(data)
            side.chunks += 1
            side.missing += missing
            self._given_ns = time_ns
            out.append(_new(Chunk, (number, time_ns, self.sender, data, missing)))

    def acknowledged(self, sequence: int, time_ns: int, at_once: bool, out: list[Entry]) -> None:
        """The other side has all that is before ``sequence``."""
        stream = self.stream
        place = stream.place + stream.ahead(sequence)
        if self.end_place is not None and place == self.end_place + 1 and self._end_confirmed_ns is None:
            self._end_confirmed_ns = time_ns
            if self.side.ended_ns is not None:
                self.side.confirmed_ns = time_ns
        if stream.waiting or (self.end_place is not None and self.side.ended_ns is None):
            self._confirmation = sequence, time_ns
            if at_once:
                self.resolve(out)

    def resolve(self, out: list[Entry]) -> None:
        """What was acknowledged and is not there never comes."""
        if self._confirmation is None:
            return
        (sequence, _), self._confirmation = self._confirmation, None
        self._give(self.stream.confirmed(sequence), out)
        self._note()
        if self._end_confirmed_ns is not None and not self.stream.waiting:
            self.stream.skip(self.end_place or 0)
        self._end_where_reached(out)

    def flush(self, out: list[Entry]) -> None:
        """Nothing more comes, or too much waits: the holes are never filled."""
        self._confirmation = None
        self._give(self.stream.finish(), out)
        self._note()
        if self.end_place is not None:
            self.stream.skip(self.end_place)
        self._end_where_reached(out)
        self._tell_missing(self.connection.record.last_ns, out)

    def _watch_window(self, found: Transported, time_ns: int, out: list[Entry]) -> None:
        closed = not found.window and not found.flags & (SYN | RST)
        if closed and not self._window_closed:
            self.side.zero_windows += 1
            out.append(Mark(self.connection.record.id, time_ns, "zero_window", self.sender))
        self._window_closed = closed

    def _fin(self, sequence: int, time_ns: int, out: list[Entry]) -> None:
        """A FIN ends the stream at its place, wherever the capture has it (RFC 9293 section 3.10.7.4)."""
        stream, record = self.stream, self.connection.record
        if self.end_place is not None or self.side.ended_ns is not None:
            return
        if stream.expected is None:
            stream.begin(sequence)
        ahead = stream.ahead(sequence)
        if ahead > _FARTHEST_END:
            return
        self.end_place, self._end_ns = stream.place + max(0, ahead), time_ns
        record.closed_by = record.closed_by or self.sender
        self._end_where_reached(out)

    def _end_where_reached(self, out: list[Entry]) -> None:
        if self.connection.record.reason == "reset" or self.end_place is None or self.side.ended_ns is not None:
            return
        if self.stream.place >= self.end_place:
            # The end may have overtaken the last bytes.
            self._end("end", max(self._end_ns, self._given_ns), out)
            self.side.confirmed_ns = self._end_confirmed_ns

    def _reset(self, time_ns: int, out: list[Entry]) -> None:
        record = self.connection.record
        if record.outcome == REFUSED:
            if record.closed_ns is None:
                record.closed_ns, record.closed_by = time_ns, self.sender
                out.append(Mark(record.id, time_ns, "refused", self.sender))
            return
        if record.outcome == UNANSWERED or record.reason == "reset":
            return  # a scanner that resets what it tried, or a repeat
        for flow in (self.other, self):
            flow.flush(out)
            flow.end_place = flow.stream.place  # what comes behind it shows that the connection goes on
        if self.side.ended_ns is None or record.closed_ns is None:
            self._end("reset", time_ns, out)

    def _end(self, name: str, time_ns: int, out: list[Entry]) -> None:
        record = self.connection.record
        self._tell_missing(time_ns, out)
        if self.side.ended_ns is None:
            self.side.ended_ns = time_ns
        out.append(Mark(record.id, time_ns, name, self.sender))
        record.closed_by = record.closed_by or self.sender
        if name == "reset" or (self.other.side.ended_ns is not None and record.closed_ns is None):
            record.closed_ns, record.reason = time_ns, name
            out.append(Mark(record.id, time_ns, "closed", record.closed_by, name))

    def _tell_missing(self, time_ns: int, out: list[Entry]) -> None:
        """Bytes that are missing behind the last that are there."""
        missing, self.stream.missing = self.stream.missing, 0
        if missing:
            self.side.missing += missing
            out.append(missing_mark(self.connection.record.id, time_ns, self.sender, missing))
