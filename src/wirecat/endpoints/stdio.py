"""Standard input and output as one stream: the local end of ``connect`` and ``listen``.

Waiting for input has to end when the peer goes, so on POSIX a wait looks at a wake-up pipe as well, and nothing is read
ahead. Windows cannot poll a console or a pipe: there a thread reads, one piece ahead at most. And a Windows console
speaks text: Python's file objects translate it from and to UTF-8, where os.read and os.write would give and take the
bytes of an old code page.
"""

from __future__ import annotations

import os
import select
import sys

from wirecat.address import Address
from wirecat.endpoints.failures import output_failure
from wirecat.endpoints.watched_wait import POLL_TELLS_LOSS, SLICE, WatchedWait
from wirecat.errors import OutputClosed, UsageError
from wirecat.stream import PartnerLost, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    import queue
    from collections.abc import Callable

    from wirecat.deadline import Deadline
    from wirecat.errors import NetworkError

_SCRATCH = 65536
_FOREGROUND_CHECK = 0.5  # seconds between looks whether the terminal is ours again


def open_stream(address: Address, deadline: Deadline) -> StdioStream:
    """The process' standard input and output."""
    return StdioStream()


class StdioStream(Stream):
    """Receives from descriptor ``source``, sends to descriptor ``sink``. It closes neither: they are not its own.

    With ``can_half_close`` a half-close releases ``sink`` (the null device takes its place), so that the reader of a pipe
    sees the end while the input goes on. ``drain`` lets a reader take what is there already and then see the end;
    ``abort`` ends it at once. An output that is a pipe and has lost its reader (``| head -1``) is a loss for what joins
    streams (see ``Stream.loss``), unless ``watch_sink`` is False: then it is noticed when bytes are written.
    """

    __slots__ = (
        "_aborted", "_draining", "_is_file", "_partner", "_pieces", "_wake", "_waker", "_watches_sink", "_write",
        "can_half_close", "sink", "source",
    )  # fmt: skip

    def __init__(
        self, source: int = 0, sink: int = 1, *, can_half_close: bool = False, watch_sink: bool = True
    ) -> None:
        self.can_half_close = can_half_close
        self.source = source
        self.sink = sink
        self._watches_sink = watch_sink
        self._partner: Stream | None = None
        self._draining = False
        self._aborted = False
        self._is_file: bool | None = None
        self._pieces: queue.Queue[bytes] | None = None
        self._write: Callable[[memoryview], int | None] = self._write_to_sink
        self._wake = self._waker = -1
        if sys.platform == "win32":
            self._write = open(sink, "wb", buffering=0, closefd=False).write  # noqa: SIM115
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
        if sys.platform == "win32":
            return self._from_thread()
        try:
            while self.raw_wait():
                try:
                    return os.read(self.source, limit)
                except BlockingIOError:
                    continue  # whoever shares the open file has set it so, and has read what was there
        except OSError:
            pass  # closed (EBADF), or a terminal that is gone (EIO): no more input, no reason to die
        return b""

    def raw_wait(self) -> bool:
        """See Stream: False once there is nothing more to wait for."""
        if self._is_file is None:
            self._is_file = _is_regular_file(self.source)
        if self._is_file:  # always ready
            return self._wake >= 0 and not self._aborted
        wake = self._wake
        while wake >= 0:
            ready = self._wait_for_input(wake)
            if self._draining and not self._aborted:
                ready = _ready((self.source,), seconds=0)
            if self.source not in ready or self._aborted:
                return False
            if not self._in_background():
                return True
            if self._draining:
                return False
            _ready((wake,), seconds=_FOREGROUND_CHECK)
        return False

    def _wait_for_input(self, wake: int) -> set[int]:
        """Those of the input and ``wake`` that are ready. Raises PartnerLost."""
        partner = self._partner
        if partner is None:
            return _ready((self.source, wake))
        if POLL_TELLS_LOSS:
            return set(WatchedWait(self.source, partner, sending=False, wake=wake).wait(None))
        while not (ready := _ready((self.source, wake), seconds=SLICE)):
            if (error := partner.loss()) is not None:
                raise PartnerLost(error)
        return ready

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """See Stream. A send never gives up: a reader that pauses (``less``) gets all that has arrived."""
        self._partner = partner if partner is not None and partner.loss_descriptor >= 0 else None

    @property
    def loss_descriptor(self) -> int:
        """See Stream: the output, where it is a pipe."""
        return self.sink if self._watches_sink and hasattr(select, "poll") and _is_pipe(self.sink) else -1

    def loss(self, failed: bool = False) -> NetworkError | None:
        """See Stream."""
        if not failed and self.loss_descriptor >= 0:
            poll = select.poll()
            poll.register(self.sink, 0)
            failed = bool(poll.poll(0))
        text = "standard output was closed early: what arrives can no longer be delivered"
        return OutputClosed(text) if failed else None

    def raw_wait_sink(self) -> bool:
        """See Stream. It ends with an abort: a reader may have stopped for good."""
        if self._wake < 0 or self._aborted:
            return False
        return self.sink in _ready(() if self._draining else (self._wake,), (self.sink,))

    def raw_source(self) -> int | str:
        """See Stream."""
        return self.source if self._wake >= 0 else "no plain descriptor"

    def raw_sink(self) -> int | str:
        """See Stream."""
        return self.sink if self._wake >= 0 else "no plain descriptor"

    def _in_background(self) -> bool:
        """Whether the input is a terminal that belongs to another job now.

        What is typed there is not for us, and to read it would stop this program (SIGTTIN, termios(3)), with all that
        the peer still sends.
        """
        try:
            return os.tcgetpgrp(self.source) != os.getpgrp()
        except OSError:  # no terminal, or not the one that controls this program
            return False

    def _from_thread(self) -> bytes:
        import queue

        if self._pieces is None:  # not before: somebody else may read the console (a prompt's input)
            self._pieces = _read_in_a_thread(self.source)
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
        """Write all of ``data``. Raises OutputClosed when nobody reads it any more, WirecatError on a full disk."""
        view = memoryview(data)
        written = 0
        while written < len(view):
            try:
                written += self._write(view[written:]) or 0
            except BlockingIOError as error:  # whoever shares the open file has set it so
                if self._wake >= 0:
                    _ready(() if self._draining else (self._wake,), (self.sink,))
                if self._aborted:
                    raise output_failure(error, len(view) - written) from error
            except OSError as error:
                raise output_failure(error, len(view) - written) from error

    def _write_to_sink(self, data: memoryview) -> int:
        return os.write(self.sink, data)

    def half_close(self) -> None:
        """Release the output where ``can_half_close`` is set; else it stays open: others may write to it too."""
        if self.can_half_close:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.sink)
            os.close(null)

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


def _is_regular_file(descriptor: int) -> bool:
    import stat

    return _is_kind(descriptor, stat.S_ISREG)


def _is_pipe(descriptor: int) -> bool:
    import stat

    return _is_kind(descriptor, stat.S_ISFIFO)


def _is_kind(descriptor: int, is_kind: Callable[[int], bool]) -> bool:
    try:
        return is_kind(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _ready(to_read: tuple[int, ...], to_write: tuple[int, ...] = (), seconds: float | None = None) -> set[int]:
    """Wait until one of the descriptors is ready (or closed, which the next call on it will tell); those that are."""
    if sys.platform == "darwin" or not hasattr(select, "poll"):  # macOS' poll(2) knows no terminals
        readable, writable, _ = select.select(to_read, to_write, [], seconds)
        return {*readable, *writable}
    poll = select.poll()  # takes descriptors above 1023 as well
    for descriptor in to_read:
        poll.register(descriptor, select.POLLIN)
    for descriptor in to_write:
        poll.register(descriptor, select.POLLOUT)
    return {descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)}


def _read_in_a_thread(source: int) -> queue.Queue[bytes]:
    import queue
    import threading

    pieces: queue.Queue[bytes] = queue.Queue(1)
    raw = open(source, "rb", buffering=0, closefd=False)  # noqa: SIM115

    def read() -> None:
        while True:
            try:
                piece = raw.read(_SCRATCH)
            except OSError:
                piece = b""
            pieces.put(piece)
            if not piece:
                return

    threading.Thread(target=read, name="wirecat-stdin", daemon=True).start()
    return pieces
