"""The file that a recording goes into: a bounded queue, and a thread that writes what is in it.

A disk that is slow or full never holds up whoever records: ``put`` refuses what does not fit, and says so. What was put
in is written a tenth of a second later, or as soon as much has gathered; then it is the kernel's, and survives the end of
this process.
"""

from __future__ import annotations

import os
import stat
import threading
from time import monotonic

from wirecat.errors import UsageError
from wirecat.system.private_file import open_private, remove_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Pieces = list[bytes | memoryview]


def most_waiting() -> int:
    """Bytes that the queue may hold: a 32nd of this machine's memory, at least 64 MiB and at most 256 MiB.

    What has waited so long that it left the processor's cache is written at about half the speed, so a backlog feeds
    itself: a queue that a tenth of a second of traffic fills would lose what a larger one still gets over.
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no such call, and not every system both names
        memory = 0
    return min(max(memory // 32, 1 << 26), 1 << 28)


MOST_WAITING = most_waiting()
GATHER = 1 << 20  # bytes that are worth a write(2)
GATHER_TIME = 0.1  # seconds that fewer may wait for company
RETRY = 1.0  # seconds after which a disk that was full is tried again
FAREWELL = 5.0  # seconds that the disk gets at the end to take anything at all
_MOST_PIECES = 1024  # IOV_MAX


class Sink:
    """The file at ``path``. ``put`` and ``switch`` are for one caller at a time.

    ``head`` is what the file begins with: without it nothing in the file can be read, so it is written again with
    whatever a full disk takes first. ``keep`` is how many files stay after ``switch`` (None: all). ``on_lost(chunks,
    bytes)`` is called, from the writing thread, for what was taken in and could not be written; ``failure`` is why.
    Raises UsageError where the file cannot be opened.
    """

    def __init__(
        self,
        path: str,
        *,
        durable: bool,
        on_lost: Callable[[int, int], None],
        head: Pieces | None = None,
        keep: int | None = None,
    ) -> None:
        self.path = path
        self.failure: OSError | UsageError | None = None
        self._durable = durable
        self._on_lost = on_lost
        self._head = head or []
        self._keep = keep
        self._earlier: list[str] = []  # the files before this one that are kept, the oldest first
        self._next: tuple[str, Pieces] | None = None  # the file to go on in, which could not be opened yet
        self._descriptor = open_private(path, step="record")
        self._regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._written = 0  # bytes of whole blocks in the present file
        self._used = False  # whether there is more in it than its head
        self._failed_at = 0.0
        self._queue: list[tuple[Pieces, int, int, int] | tuple[str, Pieces]] = []
        self._waiting = 0
        self._progress = monotonic()
        self._closing = False
        lock = threading.Lock()
        self._changed = threading.Condition(lock)  # for the writing thread: there is something to do
        self._room = threading.Condition(lock)  # for whoever waits to put more in
        self._thread = threading.Thread(target=self._run, name="wirecat-recording", daemon=True)
        self._thread.start()

    @property
    def has_room(self) -> bool:
        """Whether ``put`` would take more."""
        return self._waiting < MOST_WAITING

    def wait_for_room(self) -> None:
        """Wait until it does (or is closed)."""
        with self._changed:
            while not (self.has_room or self._closing):
                self._room.wait()

    def put(self, pieces: Pieces, chunks: int = 0, data: int = 0) -> bool:
        """Take ``pieces`` in, which belong together and hold ``chunks`` chunks of ``data`` bytes; False if there is no
        room. What holds no chunk may take twice the room: it is little, and what follows makes no sense without."""
        size = 0
        for piece in pieces:
            size += len(piece)
        if self._waiting >= (MOST_WAITING if chunks else 2 * MOST_WAITING):
            return False
        with self._changed:
            before = self._waiting
            self._queue.append((pieces, size, chunks, data))
            self._waiting = before + size
            if not before or before < GATHER <= before + size:
                self._changed.notify()
        return True

    def switch(self, path: str, head: Pieces | None = None) -> None:
        """Go on in another file from here, which begins with ``head``."""
        with self._changed:
            self._queue.append((path, head or []))
            self._changed.notify()

    def close(self) -> None:
        """Write what is left, as long as the disk takes anything, and close the file."""
        with self._changed:
            self._closing = True
            self._progress = monotonic()
            self._changed.notify_all()
            self._room.notify_all()
        while self._thread.is_alive():
            self._thread.join(FAREWELL / 10)
            if monotonic() - self._progress > FAREWELL:
                with self._changed:
                    left, self._queue = self._queue, []
                self._lost([each for each in left if len(each) == 4])
                return

    def _run(self) -> None:
        self._write_head()
        while True:
            with self._changed:
                while not self._queue and not self._closing:
                    self._changed.wait()
                if self._waiting < GATHER and not self._closing:
                    self._changed.wait(GATHER_TIME)
                batch, self._queue = self._queue, []
                if not batch:
                    break
            self._write_all(batch)
        self._close_file()

    def _close_file(self) -> None:
        """Close the file; one into which nothing could be written is removed, for nothing can read it."""
        self._write_head()
        if not self._written and self._regular and self._head:
            self._remove(self.path)
        os.close(self._descriptor)

    def _write_head(self) -> None:
        """Write what the file begins with, unless it has that. What the disk does not take now it may take later."""
        if self._written or not self._head:
            return
        try:
            _write(self._head, self._descriptor)
        except OSError as error:
            self._fail(error)
        else:
            self._written = sum(map(len, self._head))

    def _remove(self, path: str) -> None:
        try:
            remove_private(path)
        except (OSError, UsageError) as error:
            self.failure = error

    def _write_all(self, batch: list[tuple[Pieces, int, int, int] | tuple[str, Pieces]]) -> None:
        rows: list[tuple[Pieces, int, int, int]] = []
        pieces = 0
        for each in batch:
            if len(each) == 2:
                self._write_rows(rows)
                rows, pieces = [], 0
                self._go_on_in(*each)
                continue
            rows.append(each)
            pieces += len(each[0])
            if pieces >= _MOST_PIECES // 2:
                self._write_rows(rows)
                rows, pieces = [], 0
        self._write_rows(rows)
        self._make_durable()

    def _make_durable(self) -> None:
        if self._durable and self._regular and self.failure is None:
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._fail(error)

    def _go_on_in(self, path: str, head: Pieces) -> None:
        """Open the next file and close the present one; until that succeeds, nothing more is written."""
        self._next = (path, head)
        if self._pauses:
            return
        try:
            descriptor = open_private(path, step="record")
        except UsageError as error:
            self._fail(error)
            return
        self._next = None
        self._make_durable()
        if self._used or not self._regular:
            self._earlier.append(self.path)
        else:  # no file that holds something is removed for one that does not
            self._remove(self.path)
        self._close_file()
        self._descriptor, self._written, self.path, self._head = descriptor, 0, path, head
        self._used = False
        self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        while self._keep is not None and len(self._earlier) >= self._keep:
            self._remove(self._earlier.pop(0))
        self._write_head()

    @property
    def _pauses(self) -> bool:
        """Whether the disk has failed a moment ago, and is not tried again yet."""
        return self.failure is not None and monotonic() - self._failed_at < RETRY

    def _write_rows(self, rows: list[tuple[Pieces, int, int, int]]) -> None:
        """Write rows, or lose all of them."""
        if not rows:
            return
        size = sum(row[1] for row in rows)
        try:
            self._try(rows)
        except (OSError, UsageError) as error:
            self._fail(error)
            self._lost(rows)
        else:
            self.failure = None
        self._progress = monotonic()
        with self._changed:
            self._waiting -= size
            self._room.notify_all()

    def _try(self, rows: list[tuple[Pieces, int, int, int]]) -> None:
        """Write rows, behind the head where the file has none yet. Raises OSError, UsageError."""
        if self._next is not None:
            self._go_on_in(*self._next)
        if self.failure is not None and (self._pauses or self._next is not None):
            raise self.failure.with_traceback(None)  # else that would grow each time
        head = [] if self._written else self._head
        pieces = [*head, *(piece for row in rows for piece in row[0])]
        _write(pieces, self._descriptor)
        self._written += sum(map(len, pieces))
        self._used = True

    def _fail(self, error: OSError | UsageError) -> None:
        """The disk takes no more. What of a block it did take is taken back, so that what follows can be read."""
        if self.failure is not error:
            self.failure = error
            self._failed_at = monotonic()
            if self._regular:
                try:
                    os.ftruncate(self._descriptor, self._written)
                    os.lseek(self._descriptor, self._written, os.SEEK_SET)
                except OSError as worse:
                    self.failure = worse

    def _lost(self, rows: list[tuple[Pieces, int, int, int]]) -> None:
        self._on_lost(sum(row[2] for row in rows), sum(row[3] for row in rows))


def _write(pieces: Pieces, descriptor: int) -> None:
    """Write all of it. Raises OSError."""
    for start in range(0, len(pieces), _MOST_PIECES):
        part = pieces[start : start + _MOST_PIECES]
        if hasattr(os, "writev"):
            taken = os.writev(descriptor, part)
        else:
            part = [b"".join(part)]
            taken = os.write(descriptor, part[0])
        for piece in part:
            if taken >= len(piece):
                taken -= len(piece)
                continue
            view = memoryview(piece)[taken:]
            taken = 0
            while view:
                view = view[os.write(descriptor, view) :]
