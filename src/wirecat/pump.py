"""The pump: moves bytes between two open connections, both ways at once, each way with its half-close.

Each direction is a loop in a thread of its own that reads, then writes: a peer that does not read holds back only what
flows to it (a bounded buffer, no queue), and one direction never waits for the other. The calling thread waits for both,
so that Ctrl-C reaches it.
"""

from __future__ import annotations

import select
import sys

from wirecat.errors import ConnectionBroken, OutputClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading

    from wirecat.connection import Connection

BUFFER = 1 << 18
# On Windows a wait for a lock cannot be interrupted by Ctrl-C, so it is cut into slices.
_SLICE = 0.2 if sys.platform == "win32" else None


class PumpResult:
    """What a pump did: ``forward`` and ``backward`` are bytes moved from left to right and from right to left; ``failures``
    are the errors that ended a direction (empty where all ended well)."""

    __slots__ = ("backward", "failures", "forward")

    def __init__(self) -> None:
        self.forward = 0
        self.backward = 0
        self.failures: list[OSError] = []


def pump(left: Connection, right: Connection, *, until_right_ends: bool = False, half_close: bool = True) -> PumpResult:
    """Move bytes between ``left`` and ``right`` until both directions have ended.

    The end of one side's stream is passed on as a half-close of the other (not to ``right`` where ``half_close`` is False).
    With ``until_right_ends`` the end of ``right`` ends it all: what ``left`` holds ready is still sent, but nothing more
    is waited for. A direction that fails ends both. Neither connection is closed here.
    """
    import threading

    result = PumpResult()
    changed = threading.Condition()
    running = {"forward", "backward"}

    def finished(direction: str, failure: OSError | None) -> None:
        with changed:
            running.discard(direction)
            if failure is not None:
                result.failures.append(failure)
            changed.notify_all()

    def forward() -> None:
        failure = None
        try:
            _carry(left, right, result, "forward", half_close)
        except OSError as error:
            failure = error
            right.abort()
        finally:
            finished("forward", failure)

    def backward() -> None:
        failure = None
        try:
            _carry(right, left, result, "backward", True)
        except OSError as error:
            failure = error
        finally:
            if failure is not None or until_right_ends:
                _end_input(left, failure)
            if failure is not None:
                right.abort()
            finished("backward", failure)

    threads = [threading.Thread(target=each, name="wirecat-pump", daemon=True) for each in (forward, backward)]
    for thread in threads:
        thread.start()
    try:
        _wait_for(changed, running)
    except BaseException:
        left.abort()
        right.abort()
        raise
    for thread in threads:
        thread.join()
    return result


def _wait_for(changed: threading.Condition, running: set[str]) -> None:
    with changed:
        while running:
            changed.wait(_SLICE)


def _end_input(left: Connection, failure: OSError | None) -> None:
    """The right side is over: take what the left side holds ready, or nothing more if the right side failed."""
    drain = getattr(left.stream, "drain", None)
    if drain is not None and failure is None:
        drain()
    else:
        left.abort()


def _carry(source: Connection, sink: Connection, result: PumpResult, direction: str, half_close: bool) -> None:
    """One direction, to the end of ``source``."""
    buffer: memoryview | None = None
    watch = _reader_of(sink)
    while True:
        if watch >= 0:
            _wait_readable(source, watch)
        if source.taps:
            data: bytes | memoryview = source.receive(BUFFER) or b""
            count = len(data)
        else:
            buffer = buffer or memoryview(bytearray(BUFFER))
            count = source.receive_into(buffer)
            data = buffer[:count]
        if not count:
            break
        sink.send(data)
        setattr(result, direction, getattr(result, direction) + count)
    if half_close:
        try:
            sink.half_close()
        except ConnectionBroken:
            # The peer has gone already. If that lost anything, the other direction (or the send before) tells it.
            return


def _reader_of(sink: Connection) -> int:
    """The descriptor of a local output whose reader may go away (a pipe: ``| head -1``); -1 where there is none."""
    import os
    import stat

    descriptor = getattr(sink.stream, "sink", -1)
    if descriptor < 0 or not hasattr(select, "poll"):
        return -1
    try:
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else -1
    except OSError:
        return -1


def _wait_readable(source: Connection, watch: int) -> None:
    """Wait for bytes of ``source``. Raises OutputClosed as soon as nobody reads descriptor ``watch`` any more, rather than
    at the next byte, which may never come."""
    descriptor = source.stream.fileno()
    if descriptor < 0:
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.register(watch, 0)  # POLLERR is told unasked (poll(2))
    for ready, happened in poll.poll():
        if ready == watch and happened & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise OutputClosed("standard output was closed early: what arrives can no longer be delivered")
