"""One connection of a recording played again: one side's chunks are sent, the other side's are waited for and compared."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from time import monotonic

from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired, WirecatError
from wirecat.recording.comparison import NONE, Comparison
from wirecat.recording.model import Chunk, Mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.connection import Connection
    from wirecat.recording.comparison import Difference

MOST_AHEAD = 1 << 26  # bytes that the other side may say before the recording has it say them
QUIET = 0.2  # seconds of silence after which a reply that is not compared is over


class Played:
    """What came of it: ``sent`` and ``received`` bytes, ``difference`` (None: there is none), ``failure`` in one line or
    empty, and ``notes``."""

    def __init__(self, connection: int) -> None:
        self.connection = connection
        self.sent = self.received = 0
        self.difference: Difference | None = None
        self.failure = ""
        self.notes: list[str] = []


class Player:
    """Plays ``side`` in a thread of its own. ``open_connection`` is called in it; ``put`` gives it what stands in the
    recording, in order, and None at the end. ``patience`` is how many seconds of silence it waits for what it expects.
    ``on_done(bytes)`` is told for each chunk that it has done with."""

    def __init__(
        self,
        connection: int,
        side: str,
        open_connection: Callable[[], Connection],
        *,
        compare: str,
        patience: float,
        on_done: Callable[[int], object],
    ) -> None:
        self.played = Played(connection)
        self._side = side
        self._open_connection = open_connection
        self._compare = compare
        self._comparison = Comparison(compare)
        self._patience = patience
        self._on_done = on_done
        self._steps: SimpleQueue[Chunk | Mark | None] = SimpleQueue()
        self._changed = threading.Condition()
        self._heard = 0.0  # when anything came from the other side
        self._other_ended = False
        self._given_up = False
        self._opened = threading.Event()  # or it could not be
        self._thread = threading.Thread(target=self._run, name=f"wirecat-replay-{connection}", daemon=True)
        self._thread.start()

    def wait_open(self) -> None:
        """Wait until its connection is there, or could not be made."""
        while not self._opened.wait(0.5):  # in slices, for Ctrl-C
            pass

    def put(self, step: Chunk | Mark | None) -> None:
        """The next that stands in the recording."""
        self._steps.put(step)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has done; False after ``timeout`` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            with self._open_connection() as connection:
                self._opened.set()
                reader = threading.Thread(target=self._read, args=(connection,), daemon=True)
                reader.start()
                try:
                    self._play(connection)
                finally:
                    connection.abort()
                    reader.join()
        except WirecatError as error:
            self.played.failure = str(error)
        finally:
            self._opened.set()
        self.played.received = self._comparison.received
        while (step := self._steps.get()) is not None:  # what it will not play any more
            self._done(step)

    def _play(self, connection: Connection) -> None:
        ended = False
        while (step := self._steps.get()) is not None:
            try:
                ended = self._step(connection, step) or ended
                if self._comparison.difference is not None or self._given_up:
                    break
            finally:
                self._done(step)
        else:
            self._steps.put(None)  # for whoever empties the queue
            self._wait(lambda: self._comparison.received >= self._comparison.expected)
            if ended and self._comparison.difference is None:
                # All was said: what comes before the other side's own end is too much.
                self._wait(lambda: self._comparison.received > self._comparison.expected, QUIET)
        with self._changed:
            self.played.difference = self._comparison.finish()

    def _step(self, connection: Connection, step: Chunk | Mark) -> bool:
        """Do what stands in the recording; whether our side has ended with it."""
        if isinstance(step, Chunk):
            if step.missing:
                self._miss(step)
            if step.sender != self._side:
                with self._changed:
                    self._comparison.recorded(step.data)
                return False
            if self._wait_for_replies():
                connection.send(step.data)
                self.played.sent += len(step.data)
            return False
        if step.name == "end" and step.sender == self._side and connection.stream.can_half_close:
            if self._wait_for_replies():
                connection.half_close()
            return True
        return False

    def _miss(self, chunk: Chunk) -> None:
        """The recording has a hole. Behind one in what is to be compared nothing can be."""
        whose = "we" if chunk.sender == self._side else "the other side"
        self.played.notes.append(f"{chunk.missing} bytes that {whose} sent are not in the recording")
        if chunk.sender != self._side:
            with self._changed:
                before, self._comparison = self._comparison, Comparison(NONE)
                self._comparison.expected, self._comparison.received = before.expected, before.received
                self._comparison.difference = before.difference

    def _wait_for_replies(self) -> bool:
        """Wait for what was said before; False where it did not come, or not so."""
        self._wait(lambda: self._comparison.received >= self._comparison.expected)
        self._given_up = self._compare != NONE and self._comparison.received < self._comparison.expected
        return not self._given_up and self._comparison.difference is None

    def _wait(self, ready: Callable[[], bool], patience: float | None = None) -> None:
        """Wait until ``ready``, or the other side has ended, has said something else, or is silent for too long."""
        patience = self._patience if patience is None else patience
        if self._compare == NONE:
            patience = min(patience, QUIET) if self._comparison.received else patience
        with self._changed:
            self._heard = monotonic()
            while not (ready() or self._other_ended or self._comparison.difference is not None):
                left = self._heard + patience - monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    def _read(self, connection: Connection) -> None:
        try:
            while (data := connection.receive()) is not None:
                with self._changed:
                    self._comparison.got(data)
                    self._heard = monotonic()
                    self._changed.notify_all()
                    if self._comparison.ahead > MOST_AHEAD and self._comparison.received > self._comparison.expected:
                        self.played.notes.append("the other side says far more than was recorded: no longer read")
                        break
        except (ConnectionBroken, ConnectionClosed, DeadlineExpired):
            pass  # it has ended, one way or another; what is missing then is told as a difference
        finally:
            with self._changed:
                self._other_ended = True
                self._changed.notify_all()

    def _done(self, step: Chunk | Mark) -> None:
        self._on_done(len(step.data) if isinstance(step, Chunk) else 0)
