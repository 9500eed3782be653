"""Two streams compared as they come, the recorded one and the one of now: the first byte in which they differ."""

from __future__ import annotations

from wirecat.errors import UsageError

EXACT, LENGTH, NONE = "exact", "length", "none"
KINDS = (EXACT, LENGTH, NONE)
AROUND = 16  # bytes that are shown of each side, from the first that differs


class Difference:
    """At ``offset`` (from 0) the stream was to go on with ``recorded`` and went on with ``got``: a few bytes of each,
    either of which is empty where that stream ends there."""

    __slots__ = ("got", "offset", "recorded")

    def __init__(self, offset: int, recorded: bytes, got: bytes) -> None:
        self.offset = offset
        self.recorded = recorded
        self.got = got

    def __repr__(self) -> str:
        return f"Difference({self.offset}, {self.recorded!r}, {self.got!r})"


class Comparison:
    """``recorded`` and ``got`` take the next bytes of either stream, in any order; ``difference`` is the first, once it is
    seen. ``expected`` and ``received`` count the bytes. With ``kind`` ``length`` only how many there are matters, which
    ``finish`` judges; with ``none`` nothing does."""

    __slots__ = ("_ahead", "_got_ahead", "_kind", "difference", "expected", "received")

    def __init__(self, kind: str = EXACT) -> None:
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is no way to compare: {', '.join(KINDS)}", step="replay")
        self._kind = kind
        self._ahead = bytearray()  # bytes of the stream that is ahead
        self._got_ahead = False  # which that is
        self.difference: Difference | None = None
        self.expected = self.received = 0

    @property
    def ahead(self) -> int:
        """How many bytes one stream is ahead of the other."""
        return abs(self.expected - self.received)

    def recorded(self, data: bytes) -> None:
        """The next bytes of the recording."""
        self.expected += len(data)
        self._take(data, is_got=False)

    def got(self, data: bytes) -> None:
        """The next bytes of now."""
        self.received += len(data)
        self._take(data, is_got=True)

    def finish(self) -> Difference | None:
        """Nothing more comes on either side: the first difference, one in length included."""
        if self.difference is None and self._kind != NONE and self.expected != self.received:
            offset = min(self.expected, self.received)
            ahead = bytes(self._ahead[:AROUND])
            recorded, got = (b"", ahead) if self.received > self.expected else (ahead, b"")
            self.difference = Difference(offset, recorded, got)
        return self.difference

    def _take(self, data: bytes, *, is_got: bool) -> None:
        if self._kind != EXACT or self.difference is not None or not data:
            return
        if self._ahead and self._got_ahead != is_got:
            common = min(len(self._ahead), len(data))
            if self._ahead[:common] != data[:common]:
                self._differ(data, common, is_got)
                return
            del self._ahead[:common]
            data = data[common:]
        if data:
            self._got_ahead = is_got
            self._ahead += data

    def _differ(self, data: bytes, common: int, is_got: bool) -> None:
        first = next(place for place in range(common) if self._ahead[place] != data[place])
        # What is kept ends where the stream that is ahead ends.
        offset = (self.expected if is_got else self.received) - len(self._ahead) + first
        ahead, other = bytes(self._ahead[first : first + AROUND]), data[first : first + AROUND]
        recorded, got = (ahead, other) if is_got else (other, ahead)
        self.difference = Difference(offset, recorded, got)
        self._ahead.clear()
