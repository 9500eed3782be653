"""The verb ``replay``: a recording played again, its client's side against a server or its server's side for a client."""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.recording.comparison import EXACT, KINDS
from wirecat.recording.model import CLIENT, SERVER, Chunk
from wirecat.recording.player import Played, Player
from wirecat.recording.reader import Reading
from wirecat.talk import connect, listen

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from wirecat.connection import Connection
    from wirecat.recording.model import Mark
    from wirecat.talk import ConnectionListener

MOST_WAITING = 1 << 26  # bytes that were read from the recording and are not played yet


class ReplayResult:
    """What came of it: ``connections`` (a Played each, in the order they were opened), ``seconds`` it took."""

    def __init__(self, connections: list[Played], seconds: float) -> None:
        self.connections = connections
        self.seconds = seconds

    @property
    def ok(self) -> bool:
        """Whether all was played, and no reply was another one."""
        return bool(self.connections) and not any(each.failure or each.difference for each in self.connections)


def replay(
    paths: str | os.PathLike[str] | list[str | os.PathLike[str]],
    address: str | int | Address,
    *,
    speed: float | None = None,
    compare: str = EXACT,
    side: str = CLIENT,
    timeout: float = 10.0,
    patience: float = 5.0,
    on_listening: Callable[[tuple[Address, ...]], object] | None = None,
) -> ReplayResult:
    """Play what ``paths`` hold against the server at ``address``, and compare its replies with those recorded.

    Each piece is sent once the replies before it are there. ``speed`` None: as fast as that goes; a connection begins
    when those have ended that had ended before it. A number: at the recorded times, so many times as fast. ``compare``:
    ``exact``, ``length`` or ``none``. ``timeout`` are seconds for connecting, ``patience`` those without a byte after
    which a reply is no longer waited for.

    ``side`` ``server`` listens on ``address`` instead (``on_listening(addresses)`` is called), and plays the server for
    as many clients as there are connections in the recording, in their order; each has ``timeout`` seconds to come.

    Raises UsageError, AddressError, ListenError. What goes wrong with a connection is in the result.
    """
    if compare not in KINDS:
        raise UsageError(f"{compare!r} is no way to compare: {', '.join(KINDS)}", step="replay")
    if side not in (CLIENT, SERVER):
        raise UsageError(f"{side!r} is neither client nor server", step="replay")
    if speed is not None and not 0 < speed < float("inf"):
        raise UsageError(f"a speed is a number above 0, not {speed!r}", step="replay")
    target = Address.parse(address)
    files = tuple(map(str, paths)) if isinstance(paths, list) else (str(paths),)
    started = monotonic()
    if side == SERVER:
        with listen(target) as listener:
            if on_listening is not None:
                on_listening(listener.addresses)
            stage = _Stage(files, side, lambda: _accepted(listener, timeout), speed, compare, patience)
            return ReplayResult(stage.run(), monotonic() - started)
    target = target.target()
    stage = _Stage(files, side, lambda: connect(target, timeout=timeout), speed, compare, patience)
    return ReplayResult(stage.run(), monotonic() - started)


def _accepted(listener: ConnectionListener, timeout: float) -> Connection:
    return listener.accept(timeout)


class _Stage:
    """Reads the recording in order, and gives every player its part when it is its time."""

    def __init__(
        self,
        files: tuple[str, ...],
        side: str,
        open_connection: Callable[[], Connection],
        speed: float | None,
        compare: str,
        patience: float,
    ) -> None:
        self._reading = Reading(files)
        self._side = side
        self._open_connection = open_connection
        self._speed = speed
        self._compare = compare
        self._patience = patience
        self._players: dict[int, Player] = {}
        self._ending: set[int] = set()  # those whose part is over, and which may still play
        self._waiting = 0
        self._room = threading.Condition()

    def run(self) -> list[Played]:
        """To the end of all players."""
        began, first = monotonic(), 0
        players = self._players
        try:
            for entry in self._reading.entries():
                if entry.connection is None:
                    continue
                first = first or entry.time_ns
                if self._speed is not None:
                    self._wait_until(began + (entry.time_ns - first) / 1e9 / self._speed)
                self._give(entry, entry.connection)
        finally:
            for player in players.values():
                player.put(None)
        for player in players.values():
            while not player.join(0.5):  # in slices: Ctrl-C must reach this thread everywhere
                pass
        return [player.played for player in players.values()]

    def _give(self, entry: Chunk | Mark, number: int) -> None:
        player = self._players.get(number)
        if player is None:
            self._let_end()
            player = self._players[number] = Player(
                number, self._side, self._open_connection, compare=self._compare, patience=self._patience,
                on_done=self._done,
            )  # fmt: skip
            if self._side == SERVER:
                player.wait_open()  # so that clients get their parts in the order of their coming
        size = len(entry.data) if isinstance(entry, Chunk) else 0
        with self._room:
            while self._waiting > MOST_WAITING:
                self._room.wait(0.5)
            self._waiting += size
        player.put(entry)
        if not isinstance(entry, Chunk) and entry.name == "closed":
            player.put(None)
            self._ending.add(number)

    def _let_end(self) -> None:
        """Before another begins: those that were over then are over now too."""
        if self._speed is None:
            for number in self._ending:
                while not self._players[number].join(0.5):
                    pass
            self._ending.clear()

    def _done(self, size: int) -> None:
        with self._room:
            self._waiting -= size
            self._room.notify()

    def _wait_until(self, when: float) -> None:
        never = threading.Event()
        while (left := when - monotonic()) > 0:
            never.wait(min(left, 0.5))
