"""One direction of a TCP stream put together from captured segments: repeats, overlaps, disorder and holes (RFC 9293).

What came twice is given once, the first copy counts. A hole is waited for until it is sure that it will not be filled:
the other side has confirmed what is behind it, too much waits, or the capture is over. Then it is told.
"""

from __future__ import annotations

MOST_WAITING = 1 << 22  # bytes behind a hole
MOST_SEGMENTS = 4096
_LARGEST_STEP = 1 << 30  # a segment further off than the largest window (RFC 7323) belongs to something else
_MODULUS = 1 << 32


class Reassembler:
    """``segment`` takes what one packet carries, ``confirmed`` the other side's acknowledgement; each gives what can be
    handed on now, as pairs of the bytes missing before a piece and the piece.

    ``repeated`` counts bytes that came again, ``out_of_order`` segments that came too early, ``conflicting`` repeats
    whose bytes were others than the first time.
    """

    __slots__ = ("_next", "_pieces", "_recent", "_waiting", "conflicting", "out_of_order", "repeated")

    def __init__(self) -> None:
        self.repeated = 0
        self.out_of_order = 0
        self.conflicting = 0
        self._next: int | None = None  # the place of the next byte, counted on without end
        self._pieces: dict[int, bytes] = {}
        self._waiting = 0
        self._recent = (0, b"")  # the last piece that was given, to compare repeats with

    @property
    def begun(self) -> bool:
        """Whether it is known where the stream stands."""
        return self._next is not None

    def begin(self, sequence: int) -> None:
        """The next byte has the number ``sequence``."""
        self._next = sequence

    def _place(self, sequence: int) -> int:
        """The number of 32 bits as a place in the stream, the nearest to where it stands."""
        assert self._next is not None
        step = (sequence - self._next) % _MODULUS
        return self._next + (step if step < _MODULUS // 2 else step - _MODULUS)

    def segment(self, sequence: int, data: bytes) -> list[tuple[int, bytes]]:
        """A segment's bytes; ``sequence`` numbers the first."""
        if self._next is None:
            self._next = sequence
        if not data:
            return []
        place = self._place(sequence)
        if abs(place - self._next) > _LARGEST_STEP:
            return []
        if place < self._next:
            overlap = min(self._next - place, len(data))
            self.repeated += overlap
            self._compare(place, data[:overlap])
            data, place = data[overlap:], self._next
            if not data:
                return []
        if place > self._next:
            self._keep(place, data)
            if self._waiting > MOST_WAITING or len(self._pieces) > MOST_SEGMENTS:
                return self._give_up_hole()
            return []
        return [(0, self._give(data)), *self._ready()]

    def confirmed(self, sequence: int) -> list[tuple[int, bytes]]:
        """The other side has all bytes before ``sequence``: a hole before it will never be filled."""
        if not self._pieces or self._next is None:
            return []
        place = self._place(sequence)
        found: list[tuple[int, bytes]] = []
        while self._pieces and min(self._pieces) < place:
            found += self._give_up_hole()
        return found

    def skip(self, sequence: int) -> int:
        """Go on at ``sequence`` (a FIN's place, say); how many bytes are missing up to there, once nothing waits."""
        if self._next is None:
            return 0
        missing = self._place(sequence) - self._next
        if not 0 < missing <= _LARGEST_STEP:
            return 0
        self._next += missing
        return missing

    def finish(self) -> list[tuple[int, bytes]]:
        """Nothing more comes: what waits behind holes."""
        found: list[tuple[int, bytes]] = []
        while self._pieces:
            found += self._give_up_hole()
        return found

    def _give(self, data: bytes) -> bytes:
        assert self._next is not None
        self._recent = self._next, data
        self._next += len(data)
        return data

    def _compare(self, place: int, data: bytes) -> None:
        start, recent = self._recent
        first, last = max(place, start), min(place + len(data), start + len(recent))
        if first < last and data[first - place : last - place] != recent[first - start : last - start]:
            self.conflicting += 1

    def _keep(self, place: int, data: bytes) -> None:
        self.out_of_order += 1
        known = self._pieces.get(place)
        if known is not None:
            self.repeated += min(len(known), len(data))
            if len(known) >= len(data):
                return
            self._waiting -= len(known)
        self._pieces[place] = data
        self._waiting += len(data)

    def _ready(self) -> list[tuple[int, bytes]]:
        """What was waiting and fits on now."""
        found: list[tuple[int, bytes]] = []
        while self._pieces:
            assert self._next is not None
            place = min(self._pieces)
            if place > self._next:
                break
            data = self._pieces.pop(place)
            self._waiting -= len(data)
            overlap = min(self._next - place, len(data))
            self.repeated += overlap
            self._compare(place, data[:overlap])
            if len(data) > overlap:
                found.append((0, self._give(data[overlap:])))
        return found

    def _give_up_hole(self) -> list[tuple[int, bytes]]:
        assert self._next is not None
        missing = min(self._pieces) - self._next
        self._next += missing
        found = self._ready()
        return [(missing + found[0][0], found[0][1]), *found[1:]] if found else []
