"""The pump: moves bytes between two open connections, both ways at once, each way with its half-close.

Each direction is a loop in a thread of its own that reads, then writes: a peer that does not read holds back only what
flows to it (a bounded buffer, no queue), and one direction never waits for the other. The calling thread waits for
both, so that Ctrl-C reaches it.
"""

from __future__ import annotations

import select
import sys
from time import monotonic

from wirecat.deadline import LONGEST_WAIT
from wirecat.errors import ConnectionBroken, DeadlineExpired, OutputClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading

    from wirecat.connection import Connection

BUFFER = 1 << 18
DATAGRAM = 8192  # bytes of a stream that make one datagram: what is read at once, at most
_FAREWELL = 0.5  # seconds for a thread to see that it is over
# Waits are cut into slices: on Windows Ctrl-C does not end one, elsewhere a signal that comes just before it does not.
_SLICE = 0.2 if sys.platform == "win32" else 0.5


class PumpResult:
    """What a pump did: ``forward`` and ``backward`` are bytes moved from left to right and from right to left;
    ``failures`` are the errors that ended a direction (empty where all ended well)."""

    __slots__ = ("backward", "failures", "forward", "last_moved")

    def __init__(self) -> None:
        self.forward = 0
        self.backward = 0
        self.failures: list[OSError] = []
        self.last_moved = monotonic()


def pump(
    left: Connection,
    right: Connection,
    *,
    until_right_ends: bool = False,
    until_left_ends: bool = False,
    half_close: bool = True,
    forward: bool = True,
    backward: bool = True,
    idle_timeout: float | None = None,
    linger: float | None = None,
    watch_output: bool = True,
) -> PumpResult:
    """Move bytes between ``left`` and ``right`` until both directions have ended.

    The end of one side's stream is passed on as a half-close of the other (not to ``right`` where ``half_close`` is
    False). With ``until_right_ends`` the end of ``right`` ends it all: what ``left`` holds ready is still sent, but
    nothing more is waited for. With ``until_left_ends`` the end of ``left`` ends it all: all that it gave has been
    sent, and nothing more is received. ``forward`` and ``backward`` False leave a direction out. A direction that
    fails ends both. Neither connection is closed here.

    An output that nobody reads any more (a pipe: ``| head -1``) ends it all at once; with ``watch_output`` False only
    when there are bytes for it, so that what is sent goes on as long as nothing comes back.

    Raises DeadlineExpired when nothing moved either way for ``idle_timeout`` seconds; once ``left`` has ended, for
    ``linger`` seconds, where that is given. What else a tap or a stream raises (no OSError, so a fault of its own) is
    raised here.
    """
    import threading

    result = PumpResult()
    changed = threading.Condition()
    cut_off = threading.Event()  # the left side's end has ended it all: receiving fails then, and that is no failure
    running = {name for name, wanted in (("forward", forward), ("backward", backward)) if wanted}

    faults: list[Exception] = []

    def finished(direction: str) -> None:
        with changed:
            running.discard(direction)
            result.last_moved = monotonic()
            changed.notify_all()

    def failed(failure: Exception) -> None:
        # Before the other direction is ended: what that one fails with is but a consequence, and comes second.
        if isinstance(failure, OSError):
            result.failures.append(failure)
        else:
            faults.append(failure)

    def carry_forward() -> None:
        failure = None
        try:
            _carry(left, right, result, "forward", half_close, watch_output)
        except Exception as error:
            failure = error
            failed(error)
        finally:
            if failure is not None or until_left_ends:
                if failure is None:
                    cut_off.set()
                right.abort()
            finished("forward")

    def carry_backward() -> None:
        failure = None
        try:
            _carry(right, left, result, "backward", True, watch_output)
        except Exception as error:
            if not (cut_off.is_set() and isinstance(error, OSError)):
                failure = error
                failed(error)
        finally:
            if failure is not None or until_right_ends:
                _end_input(left, failure)
            if failure is not None:
                right.abort()
            finished("backward")

    ways = [way for way, wanted in ((carry_forward, forward), (carry_backward, backward)) if wanted]
    threads = [threading.Thread(target=way, name="wirecat-pump", daemon=True) for way in ways]
    started: list[threading.Thread] = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        _wait_for(changed, running, result, idle_timeout, linger)
    except BaseException:
        left.abort()
        right.abort()
        for thread in started:
            thread.join(_FAREWELL)  # not for ever: one may hang in a write to a terminal that has stopped
        raise
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return result


def _wait_for(
    changed: threading.Condition,
    running: set[str],
    result: PumpResult,
    idle_timeout: float | None,
    linger: float | None,
) -> None:
    """Wait until nothing runs. Raises DeadlineExpired when nothing moved for too long."""
    with changed:
        while running:
            allowed = idle_timeout if linger is None or "forward" in running else linger
            if allowed is None:
                changed.wait(_SLICE)
                continue
            left = result.last_moved + allowed - monotonic()
            if left <= 0:
                raise DeadlineExpired(f"nothing moved either way for {allowed:g} s", seconds=allowed, step="idle")
            changed.wait(min(left, _SLICE or left))


def _end_input(left: Connection, failure: Exception | None) -> None:
    """The right side is over: take what the left side holds ready, or nothing more if the right side failed."""
    drain = getattr(left.stream, "drain", None)
    if drain is not None and failure is None:
        drain()
    else:
        left.abort()


def _carry(
    source: Connection, sink: Connection, result: PumpResult, direction: str, half_close: bool, watch_output: bool
) -> None:
    """One direction, to the end of ``source``."""
    buffer: memoryview | None = None
    watch = _reader_of(sink) if watch_output else -1
    while True:
        if watch >= 0:
            _wait_readable(source, watch)
        if source.taps or source.stream.keeps_boundaries:
            piece = source.receive(BUFFER)
            if piece is None:
                break
            data: bytes | memoryview = piece
        else:
            buffer = buffer or memoryview(bytearray(DATAGRAM if sink.stream.keeps_boundaries else BUFFER))
            count = source.receive_into(buffer)
            if not count:
                break
            data = buffer[:count]
        result.last_moved = monotonic()
        sink.send(data)
        result.last_moved = monotonic()
        setattr(result, direction, getattr(result, direction) + len(data))
    if half_close and sink.stream.can_half_close:
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
    """Wait for bytes of ``source``. Raises OutputClosed as soon as nobody reads descriptor ``watch`` any more, rather
    than at the next byte, which may never come."""
    descriptor = source.stream.fileno()
    if descriptor < 0 or source.buffered or source.stream.buffered:
        return
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.register(watch, 0)  # POLLERR is told unasked (poll(2))
    seconds = source.timeout
    found = poll.poll(None if seconds is None else min(seconds, LONGEST_WAIT) * 1000)
    if not found:
        raise DeadlineExpired(f"nothing came in {seconds:g} s", seconds=seconds, address=source.peer, step="receive")
    for ready, happened in found:
        if ready == watch and happened & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise OutputClosed("standard output was closed early: what arrives can no longer be delivered")
