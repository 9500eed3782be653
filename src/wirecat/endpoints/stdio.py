"""Standard input and output as one stream: the local end of ``connect`` and ``listen``.

Waiting for input has to end when the peer goes, so on POSIX a wait looks at a wake-up pipe as well, and nothing is read
ahead. Windows cannot poll a console or a pipe: there a thread reads, one piece ahead at most.
"""

from __future__ import annotations

import os
import select
import sys

from wirecat.address import Address
from wirecat.errors import OutputClosed, UsageError
from wirecat.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    import queue

    from wirecat.deadline import Deadline

_SCRATCH = 65536


def open_stream(address: Address, deadline: Deadline) -> StdioStream:
    """The process' standard input and output."""
    return StdioStream()


class StdioStream(Stream):
    """Receives from descriptor ``source``, sends to descriptor ``sink``. It closes neither: they are not its own.

    ``drain`` lets a reader take what is there already and then see the end; ``abort`` ends it at once.
    """

    __slots__ = ("_aborted", "_draining", "_pieces", "_wake", "_waker", "sink", "source")

    can_half_close = False

    def __init__(self, source: int = 0, sink: int = 1) -> None:
        self.source = source
        self.sink = sink
        self._draining = False
        self._aborted = False
        self._pieces: queue.Queue[bytes] | None = None
        self._wake = self._waker = -1
        if sys.platform == "win32":
            self._pieces = _read_in_a_thread(source)
        else:
            self._wake, self._waker = os.pipe()

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The address ``-``."""
        return Address("stdio")

    local = peer

    def receive(self, limit: int) -> bytes:
        """The next input; ``b""`` at its end, and when it is closed or cannot be read."""
        if self._aborted:
            return b""
        if self._pieces is not None:
            return self._from_thread()
        try:
            # A file is always readable; select(2) rather than poll(2), because macOS' poll knows no terminals.
            ready, _, _ = select.select([self.source, self._wake], [], [])
            if self._draining and not self._aborted:
                ready, _, _ = select.select([self.source], [], [], 0)
            if self.source not in ready or self._aborted:
                return b""
            return os.read(self.source, limit)
        except OSError:
            # Closed (EBADF), or a terminal that is no longer ours (EIO, a background job): no more input, no reason to die.
            return b""

    def _from_thread(self) -> bytes:
        import queue

        assert self._pieces is not None
        while not self._aborted:
            try:
                piece = self._pieces.get(timeout=0.05 if self._draining else 0.2)
            except queue.Empty:
                if self._draining:
                    return b""
                continue
            if not piece:
                self._pieces.put(b"")  # the end stays the end
            return piece
        return b""

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream."""
        data = self.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of ``data``. Raises OutputClosed when nobody reads it any more."""
        view = memoryview(data)
        written = 0
        try:
            while written < len(view):
                written += os.write(self.sink, view[written:])
        except OSError as error:
            left = len(view) - written
            raise OutputClosed(
                f"standard output was closed early: at least {left} bytes that had arrived were not delivered",
                errno=error.errno,
            ) from error

    def half_close(self) -> None:
        """Standard output stays open: others may write to it too."""

    def set_timeout(self, seconds: float | None) -> None:
        """Standard input knows no time-outs."""
        if seconds is not None:
            raise UsageError("standard input knows no time-outs")

    def drain(self) -> None:
        """From now on a receive takes only what is there already; a receive that waits is woken."""
        self._draining = True
        self._wake_up()

    def renew(self) -> None:
        """Undo ``drain`` and ``abort``, for the next peer."""
        if self._wake >= 0 and (self._draining or self._aborted):
            os.read(self._wake, 64)
        self._draining = self._aborted = False

    def abort(self) -> None:
        """See Stream."""
        self._aborted = True
        self._wake_up()

    def _wake_up(self) -> None:
        if self._waker >= 0:
            os.write(self._waker, b"x")

    def close(self) -> None:
        """Close the wake-up pipe; the descriptors themselves stay as they are."""
        for descriptor in (self._wake, self._waker):
            if descriptor >= 0:
                os.close(descriptor)
        self._wake = self._waker = -1

    def fileno(self) -> int:
        """The descriptor to receive from."""
        return self.source


def _read_in_a_thread(source: int) -> queue.Queue[bytes]:
    import queue
    import threading

    pieces: queue.Queue[bytes] = queue.Queue(1)

    def read() -> None:
        while True:
            try:
                piece = os.read(source, _SCRATCH)
            except OSError:
                piece = b""
            pieces.put(piece)
            if not piece:
                return

    threading.Thread(target=read, name="wirecat-stdin", daemon=True).start()
    return pieces
