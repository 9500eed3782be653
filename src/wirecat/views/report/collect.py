"""Builds a story while a recording is read: each talk's turns come one by one, and memory stays bounded."""

from __future__ import annotations

from array import array
from collections import Counter
from hashlib import blake2b

from wirecat.views.report.story import OPEN, SocketTable, Story, Talk, Turn, Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TURNS_OF_A_TALK = 400
BYTES_OF_A_TURN = 2048
BYTES_IN_ALL = 32 << 20
"""What is kept of turns; beyond it they are only counted."""

_TURN_COST = 160  # bytes of memory that a turn takes besides its data
_MOST_SLICES = 1024
_FIRST_SLICE = 1 << 16  # 66 µs; doubled as often as it takes
_MOST_TRIPS = 1_000_000


class Open:
    """A talk while it is being read. Made by ``Collector.open``."""

    __slots__ = (
        "acks", "answered", "asked", "captured", "client", "closed", "closed_by", "contents", "ending", "fins", "handshake",
        "last_asked", "lost", "note", "opened", "protocol", "reason", "server", "tls", "turn_count", "turns", "_speaker",
    )  # fmt: skip

    def __init__(self, client: str, server: str, opened: int, protocol: str, note: str) -> None:
        self.client = client
        self.server = server
        self.opened = opened
        self.protocol = protocol
        self.note = note
        self.closed: int | None = None
        self.ending = OPEN
        self.closed_by = self.reason = self.tls = ""
        self.fins: list[tuple[int, bool]] = []
        self.acks: list[tuple[int, bool]] = []
        self.handshake: tuple[int, ...] = ()
        self.asked = self.answered = self.turn_count = self.lost = 0
        self.turns: list[Turn] = []
        self.captured = False
        self.contents = blake2b(digest_size=16)
        self._speaker: bool | None = None
        self.last_asked: int | None = None  # when the last piece of a question came that has no reply yet

    def fin(self, time: int, to_server: bool, confirmed: int | None = None) -> None:
        """One side sends no more, which the other acknowledged at ``confirmed``; a second word of the same side is none."""
        if all(side != to_server for _, side in self.fins):
            self.fins.append((time, to_server))
            if confirmed is not None:
                self.acks.append((confirmed, not to_server))

    def say(self, to_server: bool, data: bytes) -> None:
        """Take ``data`` into the digest of the contents, in which the sizes of pieces do not count."""
        if to_server != self._speaker:
            self._speaker = to_server
            self.contents.update(b"%d:%d;" % (to_server, self.asked if to_server else self.answered))
        self.contents.update(data)

    def close(self, time: int | None, ending: str, by: str) -> None:
        """It has ended: when, how (END, RESET, UNKNOWN) and who closed first (CLIENT, SERVER or "")."""
        self.closed = time
        self.ending = ending
        self.closed_by = by


class Collector:
    """Takes what a reader reads, in any order between talks and in order within each, and gives the story."""

    def __init__(self) -> None:
        self._talks: list[Open] = []
        self._room = BYTES_IN_ALL
        self._slice = _FIRST_SLICE
        self._asked: Counter[int] = Counter()
        self._answered: Counter[int] = Counter()
        self._trips = array("q")
        self._first: int | None = None
        self._last: int | None = None

    def open(self, client: str, server: str, time: int, *, protocol: str = "tcp", note: str = "") -> Open:
        """A talk begins."""
        self._see(time)
        talk = Open(client, server, time, protocol, note)
        self._talks.append(talk)
        return talk

    def turn(self, talk: Open, time: int, to_server: bool, data: bytes) -> None:
        """A piece of bytes passed. An empty piece (a datagram may be empty) is a turn as well."""
        self._see(time)
        size = len(data)
        talk.turn_count += 1
        talk.say(to_server, data)
        if to_server:
            talk.asked += size
            talk.last_asked = time
        else:
            talk.answered += size
            if talk.last_asked is not None:
                if len(self._trips) < _MOST_TRIPS:
                    self._trips.append(max(0, time - talk.last_asked))
                talk.last_asked = None
        self._count(time, to_server, size)
        kept = data[:BYTES_OF_A_TURN]
        if len(talk.turns) < TURNS_OF_A_TALK and self._room > 0:
            self._room -= len(kept) + _TURN_COST
            talk.turns.append(Turn(time, to_server, size, kept))

    def story(
        self,
        *,
        tables: Sequence[SocketTable] = (),
        sources: Sequence[str] = (),
        machine: str = "",
        commands: Sequence[str] = (),
        notes: Sequence[str] = (),
        title: str = "",
        author: str = "",
    ) -> Story:
        """The story of all that was given, talks in the order in which they opened."""
        ordered = sorted(self._talks, key=lambda talk: talk.opened)
        for talk in ordered:
            if talk.closed is not None:
                self._see(talk.closed)
        first, last = self._first or 0, self._last or 0
        return Story(
            first,
            last,
            tuple(_finished(number, talk) for number, talk in enumerate(ordered, 1)),
            self._volume(),
            array("q", sorted(self._trips)),
            tuple(sorted(tables, key=lambda table: table.time)),
            tuple(sources),
            machine,
            tuple(commands),
            tuple(notes),
            title,
            author,
        )

    def _see(self, time: int) -> None:
        self._first = time if self._first is None else min(self._first, time)
        self._last = time if self._last is None else max(self._last, time)

    def _count(self, time: int, to_server: bool, size: int) -> None:
        counts = self._asked if to_server else self._answered
        counts[time // self._slice] += size
        # The span and not the number of slices: the axis is drawn from first to last.
        while self._span() > _MOST_SLICES:
            self._slice *= 2
            self._asked, self._answered = _halved(self._asked), _halved(self._answered)

    def _span(self) -> int:
        if self._first is None or self._last is None:
            return 0
        return self._last // self._slice - self._first // self._slice + 1

    def _volume(self) -> Volume:
        if self._first is None:
            return Volume(0, 1)
        while self._span() > _MOST_SLICES:  # a talk may have closed long after its last bytes
            self._slice *= 2
            self._asked, self._answered = _halved(self._asked), _halved(self._answered)
        start = self._first // self._slice
        slices = range(start, start + self._span())
        return Volume(
            start * self._slice,
            self._slice,
            tuple(self._asked.get(index, 0) for index in slices),
            tuple(self._answered.get(index, 0) for index in slices),
        )


def _halved(counts: Counter[int]) -> Counter[int]:
    """The same counts in slices twice as long."""
    halved: Counter[int] = Counter()
    for index, count in counts.items():
        halved[index // 2] += count
    return halved


def _finished(number: int, talk: Open) -> Talk:
    return Talk(
        number, talk.client, talk.server, talk.opened, talk.closed, talk.protocol, talk.ending, talk.closed_by,
        tuple(talk.fins), talk.asked, talk.answered, talk.turn_count, tuple(talk.turns),
        talk.note, talk.lost, talk.reason, talk.tls, talk.handshake, tuple(talk.acks), talk.captured, talk.contents.digest(),
    )  # fmt: skip
