"""One direction of the pump: reads and writes to the end of its source, inside the kernel where that can be.

Which way is decided before each piece, so a tap that comes sees the next byte, and one that goes is no brake any more.
What only looks at descriptors is asked once for each pair of them. What the kernel's way cannot tell (the end of the
source, and errors that come again when one asks again) is left to the copying way, so each stream tells it in its own
words.
"""

from __future__ import annotations

from time import monotonic

from wirecat.errors import ConnectionBroken, OutputClosed
from wirecat.stream import PartnerLost
from wirecat.taps.tap import RECEIVED
from wirecat.zero_copy import NotReady, SinkFailed, SourceFailed, Unsuitable, choose_mover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.connection import Connection
    from wirecat.zero_copy import Mover

    Report = Callable[[str], None]

# Bytes of a piece, at most. With less more time goes into calls; with more it takes longer until they are counted and a
# tap is heard. So pieces begin small, grow while they are taken at once, and are small again for a slow reader.
BUFFER = 1 << 20
SMALL = 1 << 16
SLOW = 0.1  # seconds
DATAGRAM = 8192  # bytes of a stream that make one datagram: what is read at once, at most
ZERO_COPY = "zero-copy"
_THIS_ONCE = "what has been read ahead"  # such a piece comes by itself, and says nothing of the next
_PATIENCE = 8  # moves in a row that may move nothing though both ends say that they are ready


class Carrier:
    """Carries what ``source`` gives to ``sink``. ``moved`` is how many bytes so far, ``last_moved`` when bytes last moved
    (time.monotonic()).

    ``report`` is told how it is done (``zero-copy``, or ``copy: `` and the reason) once the first bytes went that way, and
    when it changes. ``limit`` is how many bytes may be under way without being counted.
    """

    def __init__(self, source: Connection, sink: Connection, report: Report | None = None, limit: int = BUFFER) -> None:
        self.moved = 0
        self.last_moved = monotonic()
        self._source = source
        self._sink = sink
        self._report = report
        self._reported: str | None = None
        if sink.stream.keeps_boundaries and not source.stream.keeps_boundaries:
            limit = DATAGRAM
        self._limit = limit
        self._piece = min(SMALL, limit)
        self._buffer = memoryview(b"")
        self._mover: Mover | None = None
        self._ends: tuple[int, int] | None = None  # the descriptors that the mover, or its absence, is for
        self._obstacle = ""  # why these two want to be copied; empty: there is a mover
        self._seen = (0, 0)  # what was taken and given by the mover, as far as the connections have counted it
        self._idle_moves = 0

    def carry(self) -> None:
        """To the end of the source. Raises what the streams and taps raise, and PartnerLost."""
        reason = self._reason()
        try:
            while True:
                reason = self._wait(reason)
                if not reason and self._move():
                    continue
                if self._mover is not None and self._mover.inside:
                    self._pass_on_what_is_inside(self._mover)
                if not self._copy():
                    return
                self._tell(self._obstacle or reason)
        except PartnerLost as loss:
            if loss.readable and isinstance(loss.error, OutputClosed):
                self._copy()  # it fails, and says how much is lost
            raise
        finally:
            if self._mover is not None:
                self._mover.close()

    def _wait(self, reason: str) -> str:
        """Wait for the next piece, unless reading it does that; why it is to be copied, as ``_reason``. ``reason`` was that of
        the piece before."""
        if reason or self._takes():
            reason = self._reason()
            if reason or self._takes():
                return reason
        # Without reading: a tap may come meanwhile.
        return self._reason() if self._source.stream.raw_wait() else _THIS_ONCE

    def _takes(self) -> bool:
        """Whether the mover may wait for the source by itself: a tap that comes meanwhile still gets what comes."""
        return self._mover is not None and self._mover.keeps and self._source.stream.raw_source_waits

    def _reason(self) -> str:
        """Why the next piece is to be copied; empty where the kernel can move it."""
        source, sink = self._source, self._sink
        if source.stream.keeps_boundaries or sink.stream.keeps_boundaries:
            return "datagrams"
        take, give = source.stream.raw_source(), sink.stream.raw_sink()
        if isinstance(take, str):
            return take
        if isinstance(give, str):
            return give
        if (take, give) != self._ends:
            self._choose(take, give)
        if self._obstacle:
            return self._obstacle
        if source.taps or sink.taps:
            return "tapped"
        over = source.ended or sink.half_closed or source.closed or sink.closed
        return _THIS_ONCE if over or source.buffered or source.stream.buffered else ""

    def _choose(self, take: int, give: int) -> None:
        self._drop_mover()
        chosen = choose_mover(take, give)
        self._ends = (take, give)
        if isinstance(chosen, str):
            self._obstacle = chosen
        else:
            self._mover, self._obstacle, self._seen = chosen, "", (0, 0)

    # Inside the kernel

    def _move(self) -> bool:
        """Move a piece, or wait for room. False where the copying way is to go on: at the end of the source, or because it
        is the only one for these two."""
        mover = self._mover
        assert mover is not None
        began = monotonic()
        before = mover.given
        try:
            while True:
                try:
                    if self._takes():
                        mover.take(self._piece)
                        began = monotonic()
                        if self._source.taps or self._sink.taps:  # they came meanwhile
                            self._pass_on_what_is_inside(mover)
                            return True
                    mover.move(self._piece)
                    break
                except NotReady:
                    self._count(mover)
                    if not self._wait_for_room():
                        return False
                    if self._reason():  # a tap came meanwhile, or one end is over
                        self._pass_on_what_is_inside(mover)
                        return True
        except Unsuitable:
            self._give_up("the system cannot do it between these two")
            return False
        except (SourceFailed, SinkFailed) as failure:
            self._count(mover)
            error = failure.error
            if isinstance(failure, SourceFailed):
                told = self._source.stream.raw_receive_failure(error)
            else:
                told = self._sink.stream.raw_send_failure(error, mover.inside)
            if told is not None:
                raise told from error
            self._give_up(error.strerror or str(error))
            return False
        self._count(mover)
        self._idle_moves = 0
        moved = mover.given - before
        if moved:
            self._adapt(moved, began)
            self._tell("")
        return moved > 0

    def _count(self, mover: Mover) -> None:
        taken, given = self._seen
        if mover.given != given:
            self._idle_moves = 0
        self._seen = (mover.taken, mover.given)
        self._source.bytes_received += mover.taken - taken
        self._sink.bytes_sent += mover.given - given
        self.moved += mover.given - given
        self.last_moved = monotonic()

    def _wait_for_room(self) -> bool:
        """Nothing could be moved just now; whether it may be tried again."""
        self._idle_moves += 1
        if self._idle_moves <= _PATIENCE and self._sink.stream.raw_wait_sink():
            return True
        self._give_up("one end does not wait")
        return False

    def _give_up(self, reason: str) -> None:
        """Between these two it is copied from now on."""
        self._obstacle = reason
        self._drop_mover()

    def _drop_mover(self) -> None:
        mover, self._mover = self._mover, None
        if mover is not None:
            try:
                self._pass_on_what_is_inside(mover)
            finally:
                mover.close()

    def _pass_on_what_is_inside(self, mover: Mover) -> None:
        self._count(mover)
        data = mover.leftover()
        self._seen = (mover.taken, mover.given)
        if data and self._source.taps:
            data = self._source.tapped(RECEIVED, data)
        if data:
            self._send(data)

    # By copying

    def _copy(self) -> bool:
        """Copy a piece; False at the end of the source."""
        source = self._source
        if source.taps or source.stream.keeps_boundaries:
            piece = source.receive(self._piece)
            if piece is None:
                return False
            self._send(piece)
            return True
        if len(self._buffer) < self._piece:
            self._buffer = memoryview(bytearray(self._piece))
        count = source.receive_into(self._buffer[: self._piece])
        if not count:
            return False
        self._send(self._buffer[:count])
        return True

    def _send(self, data: bytes | memoryview) -> None:
        began = self.last_moved = monotonic()
        self._sink.send(data)
        self.last_moved = monotonic()
        self.moved += len(data)
        self._adapt(len(data), began)

    def _adapt(self, size: int, began: float) -> None:
        """Choose the size of the next piece by how the one that began then was taken."""
        if self.last_moved - began > SLOW:
            self._piece = min(SMALL, self._limit)
        elif size >= self._piece < self._limit:
            self._piece = min(2 * self._piece, self._limit)
            if self._piece == self._limit:
                self._sink.stream.expect_bulk()

    def _tell(self, reason: str) -> None:
        if self._report is not None and reason != self._reported and reason != _THIS_ONCE:
            self._reported = reason
            self._report(f"copy: {reason}" if reason else ZERO_COPY)

    def end(self) -> None:
        """Tell the sink that nothing more will come, where it can be told."""
        if self._sink.stream.can_half_close:
            try:
                self._sink.half_close()
            except ConnectionBroken:
                # The peer has gone already. If that lost anything, the other direction (or the send before) tells it.
                return
