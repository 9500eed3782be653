"""One direction of a TCP stream put together from captured segments: repeats, overlaps, disorder and holes (RFC 9293).

Bytes that come twice are given once, and the first copy counts. A hole is waited for until it is sure that it will not
be filled: the other side has confirmed what is behind it, too much waits, or the capture is over.

Places count the bytes of the stream from its beginning, missing ones included. The cost of a segment does not depend on
how many holes there are: what waits lies in a heap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from heapq import heappop, heappush
from operator import itemgetter

_OVERHEAD = 400  # bytes that a waiting piece costs besides its data
_OVERHEAD_GIVEN = 160  # that one costs which is kept to compare repeats with
_COMPARED = 1 << 23  # bytes given lately, of all streams together, that repeats are compared with
_MOST_HOLES = 256  # given up, of one stream, that are remembered
_MODULUS = 1 << 32
_MASK = _MODULUS - 1
_LARGEST_WINDOW = 1 << 30  # RFC 7323 section 2.3: what is further behind cannot be a repeat, so it is ahead

TYPE_CHECKING = False
if TYPE_CHECKING:
    #: Bytes that are missing before it, its data, the time of its segment.
    Piece = tuple[int, bytes, int]

_place_of = itemgetter(0)


class Memory:
    """What the streams of one capture keep together, within bounds. ``waiting`` is how many bytes wait behind holes,
    ``given`` how many of those handed on are kept to compare repeats with, ``order`` whose they are, oldest first."""

    __slots__ = ("given", "order", "waiting")

    def __init__(self) -> None:
        self.waiting = 0
        self.given = 0
        self.order: deque[deque[tuple[int, bytes]]] = deque()

    def forget(self) -> None:
        """Keep no more than _COMPARED bytes to compare with."""
        while self.given > _COMPARED:
            self.given -= len(self.order.popleft().popleft()[1]) + _OVERHEAD_GIVEN


class Reassembler:
    """``segment`` takes what one packet carries, ``confirmed`` the other side's acknowledgement; each gives the pieces that
    can be handed on now, in order.

    ``expected`` is the sequence number of the next byte (None: not known yet), ``place`` its place. ``waiting`` holds the
    places of the pieces behind holes, as a heap. ``missing`` counts the bytes missing since the last piece.

    ``repeated`` counts bytes that came again; ``conflicts`` the repeats whose bytes were others than the first time, and
    ``conflict_at`` is the place of the last; ``out_of_order`` segments that came after others that belong behind them;
    ``keep_alives`` probes (RFC 9293 section 3.8.4); ``stray`` bytes that came too late to be put in their place: before
    the first segment of a capture that begins in the middle, or into a hole that was given up.
    """

    __slots__ = (
        "_highest", "_holes", "_memory", "_pieces", "_recent", "conflict_at", "conflicts", "expected", "keep_alives",
        "missing", "out_of_order", "place", "repeated", "stray", "waiting",
    )  # fmt: skip

    def __init__(self, memory: Memory | None = None) -> None:
        self.expected: int | None = None
        self.place = 0
        self.missing = 0
        self.repeated = 0
        self.out_of_order = 0
        self.conflicts = 0
        self.conflict_at = 0
        self.keep_alives = 0
        self.stray = 0
        self._highest = 0  # behind all that waits
        self._memory = memory or Memory()
        self.waiting: list[int] = []
        self._pieces: dict[int, tuple[bytes, int, int]] = {}
        self._recent: deque[tuple[int, bytes]] = deque()
        self._holes: list[tuple[int, int]] = []  # given up: first place, and the place behind; in order

    def begin(self, sequence: int) -> None:
        """The next byte has the number ``sequence``."""
        self.expected = sequence & _MASK

    def ahead(self, sequence: int) -> int:
        """How far ``sequence`` is ahead of the next byte; negative: behind it."""
        distance = (sequence - (self.expected or 0)) & _MASK
        return distance if distance <= _MODULUS - _LARGEST_WINDOW else distance - _MODULUS

    def take(self, data: bytes) -> None:
        """Exactly the next bytes, while nothing waits: the short path of ``segment``."""
        recent, memory, size = self._recent, self._memory, len(data)
        recent.append((self.place, data))
        memory.order.append(recent)
        memory.given += size + _OVERHEAD_GIVEN
        if memory.given > _COMPARED:
            memory.forget()
        self.place += size
        self.expected = (self.expected + size) & _MASK  # type: ignore[operator]

    def segment(self, sequence: int, data: bytes, time_ns: int = 0, cut: int = 0) -> list[Piece]:
        """A segment's bytes; ``sequence`` numbers the first, and ``cut`` more were sent but not captured."""
        if self.expected is None:
            self.begin(sequence)
        size = len(data) + cut
        if not size:
            return []
        ahead = self.ahead(sequence)
        if ahead < 0:
            if ahead == -1 and len(data) == size == 1 and data == b"\0":
                self.keep_alives += 1
                return []
            self._again(self.place + ahead, data, min(size, -ahead))
            if size <= -ahead:
                return []
            cut = min(cut, size + ahead)
            data = data[-ahead:]
        if ahead > 0:
            self._keep(self.place + ahead, data, time_ns, cut)
            return []
        found: list[Piece] = []
        if data:
            found.append((self.missing, data, time_ns))
            self.missing = 0
            self.take(data)
        if cut:
            self._hole_to(self.place + cut)
        if self.waiting:
            self.out_of_order += 1
            self._ready(found)
        return found

    def confirmed(self, sequence: int) -> list[Piece]:
        """The other side has all bytes before ``sequence``: a hole before it will never be filled."""
        found: list[Piece] = []
        if self.waiting and self.expected is not None:
            place = self.place + self.ahead(sequence)
            while self.waiting and self.waiting[0] < place:
                self._hole_to(self.waiting[0])
                self._ready(found)
        return found

    def skip(self, place: int) -> None:
        """Nothing waits, and what is before ``place`` never comes: it is missing."""
        self._hole_to(place)

    def finish(self) -> list[Piece]:
        """Nothing more comes: what waits behind holes."""
        found: list[Piece] = []
        while self.waiting:
            self._hole_to(self.waiting[0])
            self._ready(found)
        return found

    def _hole_to(self, place: int) -> None:
        size = place - self.place
        if size > 0:
            self._holes.append((self.place, place))
            if len(self._holes) > _MOST_HOLES:
                del self._holes[: _MOST_HOLES // 2]
            self.missing += size
            self.place = place
            self.expected = ((self.expected or 0) + size) & _MASK

    def _again(self, place: int, data: bytes, size: int) -> None:
        """``size`` bytes from ``place`` on came again, or too late."""
        end = place + size
        stray = max(0, min(size, -place))
        for first, last in self._holes[max(0, bisect_right(self._holes, (place,)) - 1) :]:
            if first >= end:
                break
            if last > place:
                stray += min(end, last) - max(place, first)
        self.stray += stray
        self.repeated += size - stray
        if stray == size:
            return
        recent = self._recent
        for index in range(max(0, bisect_right(recent, place, key=_place_of) - 1), len(recent)):
            start, known = recent[index]
            first, last = max(place, start), min(place + len(data), start + len(known))
            if start >= end:
                return
            if first < last and data[first - place : last - place] != known[first - start : last - start]:
                self.conflicts += 1
                self.conflict_at = first
                return

    def _keep(self, place: int, data: bytes, time_ns: int, cut: int) -> None:
        if place >= self._highest:
            self._highest = place + len(data) + cut
        else:
            self.out_of_order += 1
        known = self._pieces.get(place)
        if known is not None:
            common = min(len(known[0]), len(data))
            self.repeated += common
            if known[0][:common] != data[:common]:
                self.conflicts += 1
                self.conflict_at = place
            if len(known[0]) + known[1] >= len(data) + cut:
                return
            self._memory.waiting -= len(known[0]) + _OVERHEAD
            data = known[0] + data[len(known[0]) :]
        else:
            heappush(self.waiting, place)
        self._pieces[place] = data, cut, time_ns
        self._memory.waiting += len(data) + _OVERHEAD

    def _ready(self, found: list[Piece]) -> None:
        """Append what was waiting and fits on now."""
        heap, memory, pieces = self.waiting, self._memory, self._pieces
        while heap and heap[0] <= self.place:
            place = heappop(heap)
            data, cut, time_ns = pieces.pop(place)
            memory.waiting -= len(data) + _OVERHEAD
            behind = self.place - place
            if behind:
                size = len(data) + cut
                self._again(place, data, min(size, behind))
                data, cut = data[behind:], min(cut, max(0, size - behind))
            if data:
                found.append((self.missing, data, time_ns))
                self.missing = 0
                self.take(data)
            if cut:
                self._hole_to(self.place + cut)
