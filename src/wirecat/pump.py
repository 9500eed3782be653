"""The pump: moves bytes between two open connections, both ways at once, each way with its half-close.

Each direction is a loop in a thread of its own that reads, then writes (see ``carrier``): a peer that does not read
holds back only what flows to it (a bounded buffer, no queue), and one direction never waits for the other. The main
thread, if it is the caller, waits for both, so that Ctrl-C reaches it; any other carries one direction itself.

Whichever side a direction waits for, its poll(2) has the other side in it too (``Stream.watch``), so that a peer that
was lost ends it all, even where the side behind it is silent or reads nothing.
"""

from __future__ import annotations

import sys
from time import monotonic

from wirecat.carrier import BUFFER, Carrier
from wirecat.errors import ConnectionClosed, DeadlineExpired, OutputClosed
from wirecat.stream import PartnerLost, join, part

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from wirecat.connection import Connection

    OnPath = Callable[[str, str], None]

FORWARD, BACKWARD = "forward", "backward"
# What ends a direction: the network or the peer failed, or another thread has closed the connection.
FAILURES = (OSError, ConnectionClosed)
_WATCHED = 1 << 16  # bytes under way uncounted where a clock watches whether anything moves
_FAREWELL = 0.5  # seconds for a thread to see that it is over
# Waits are cut into slices: on Windows Ctrl-C does not end one, elsewhere a signal that comes just before it does not.
_SLICE = 0.2 if sys.platform == "win32" else 0.5


class PumpResult:
    """What a pump did: ``forward`` and ``backward`` are bytes moved from left to right and from right to left;
    ``failures`` are the errors that ended a direction (empty where all ended well)."""

    __slots__ = ("backward", "failures", "forward")

    def __init__(self) -> None:
        self.forward = 0
        self.backward = 0
        self.failures: list[OSError | ConnectionClosed] = []


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
    quit_after: float | None = None,
    on_path: OnPath | None = None,
) -> PumpResult:
    """Move bytes between ``left`` and ``right`` until both directions have ended.

    The end of one side's stream is passed on as a half-close of the other (not to ``right`` where ``half_close`` is
    False). With ``until_right_ends`` the end of ``right`` ends it all: what ``left`` holds ready is still sent, but
    nothing more is waited for. With ``until_left_ends`` the end of ``left`` ends it all: all that it gave has been
    sent, and nothing more is received. ``forward`` and ``backward`` False leave a direction out. A direction that
    fails ends both. Neither connection is closed here.

    A side whose peer is lost (a reset, a pipe without a reader) ends it all at once, whatever the other side does. What
    it had sent is delivered before, as long as the other side takes it; a half-close is no loss. See ``stream.join``.

    ``on_path(direction, how)`` is told how bytes move, ``zero-copy`` or ``copy: `` and the reason, once the first have in
    that direction (``forward`` or ``backward``), and again when it changes; from the thread that moves them.

    Raises DeadlineExpired when nothing moved either way for ``idle_timeout`` seconds; once ``left`` has ended, for
    ``linger`` seconds, where that is given; and ``quit_after`` seconds after the end of ``left``, whatever moves. What else a
    tap or a stream raises (none of FAILURES, so a fault of its own) is raised here.
    """
    import threading

    result = PumpResult()
    changed = threading.Condition()
    cut_off = threading.Event()  # one side's orderly end has ended it all: what the other loses by that is no failure
    timed = any(seconds is not None for seconds in (idle_timeout, linger, quit_after))
    limit = _WATCHED if timed else BUFFER
    carriers = {}
    for direction, wanted, source, sink in ((FORWARD, forward, left, right), (BACKWARD, backward, right, left)):
        if wanted:
            carriers[direction] = Carrier(source, sink, _reporter(on_path, direction), limit)
    running = set(carriers)
    faults: list[Exception] = []
    losses: list[OSError | ConnectionClosed] = []  # told where nothing else is

    def finished(direction: str) -> None:
        with changed:
            running.discard(direction)
            carriers[direction].last_moved = monotonic()
            setattr(result, direction, carriers[direction].moved)
            changed.notify_all()

    def failed(failure: Exception) -> None:
        # Before the other direction is ended: what that one fails with is but a consequence, and comes second.
        if isinstance(failure, FAILURES):
            result.failures.append(failure)
        else:
            faults.append(failure)

    def lost(loss: PartnerLost, other: str) -> Exception | None:
        """The failure that ends both directions; None where the other one ends by itself."""
        error = loss.error
        if cut_off.is_set():
            return None
        with changed:
            # The other one reads from the peer that was lost, has to pass on what that sent before, and fails then. But a
            # local output that is closed says nothing of the input.
            ends_by_itself = not loss.sending and other in running and not isinstance(error, OutputClosed)
        if error is not None:
            losses.append(error) if ends_by_itself or result.failures else failed(error)
        return None if ends_by_itself else error or loss

    def carry_forward() -> None:
        failure = None
        try:
            carriers[FORWARD].carry()
            if half_close:
                carriers[FORWARD].end()
        except PartnerLost as loss:
            failure = lost(loss, BACKWARD)
        except Exception as error:
            failure = error
            failed(error)
        finally:
            if failure is not None or until_left_ends:
                if failure is None:
                    cut_off.set()
                # Where nobody receives there is nobody to wake, and the close can be an orderly one.
                if failure is not None or backward:
                    if failure is None:
                        _settle(right)
                    right.abort()
            finished(FORWARD)

    def carry_backward() -> None:
        failure = None
        try:
            carriers[BACKWARD].carry()
            carriers[BACKWARD].end()
        except PartnerLost as loss:
            failure = lost(loss, FORWARD)
        except Exception as error:
            if not (cut_off.is_set() and isinstance(error, FAILURES)):
                failure = error
                failed(error)
        finally:
            if failure is not None or until_right_ends:
                if failure is None:
                    cut_off.set()
                _end_input(left, failure)
            if failure is not None:
                right.abort()
            finished(BACKWARD)

    ways = [way for way, wanted in ((carry_forward, forward), (carry_backward, backward)) if wanted]
    watched = timed or threading.current_thread() is threading.main_thread()
    own = ways.pop() if ways and not watched else None
    threads = [threading.Thread(target=way, name="wirecat-pump", daemon=True) for way in ways]
    join(left.stream, right.stream)
    try:
        for thread in threads:
            thread.start()
        if own is not None:
            own()
        else:
            _wait_for(changed, running, carriers, idle_timeout, linger, quit_after)
    except BaseException:
        left.abort()
        right.abort()
        # Not for ever: one may hang in a write to a terminal that has stopped. And not by joining them at first: one
        # that was being started when Ctrl-C came may run already, and cannot be joined yet.
        with changed:
            changed.wait_for(lambda: not running, _FAREWELL)
        for thread in threads:
            if thread.is_alive():
                thread.join(_FAREWELL)
        raise
    for thread in threads:
        thread.join()
    part(left.stream, right.stream)
    result.failures = result.failures or losses
    if faults:
        raise faults[0]
    return result


def _reporter(on_path: OnPath | None, direction: str) -> Callable[[str], None] | None:
    return None if on_path is None else lambda how: on_path(direction, how)


def _wait_for(
    changed: threading.Condition,
    running: set[str],
    carriers: dict[str, Carrier],
    idle_timeout: float | None,
    linger: float | None,
    quit_after: float | None,
) -> None:
    """Wait until nothing runs. Raises DeadlineExpired when nothing moved for too long, or the time after the end of the left
    side is over."""
    with changed:
        while running:
            now = monotonic()
            left_ended = FORWARD in carriers and FORWARD not in running
            allowed = linger if linger is not None and FORWARD not in running else idle_timeout
            wait = _SLICE
            if allowed is not None:
                wait = max(carrier.last_moved for carrier in carriers.values()) + allowed - now
                if wait <= 0:
                    raise DeadlineExpired(f"nothing moved either way for {allowed:g} s", seconds=allowed, step="idle")
            if quit_after is not None and left_ended:
                wait = min(wait, carriers[FORWARD].last_moved + quit_after - now)
                if wait <= 0:
                    message = f"{quit_after:g} s have passed since the end of the input"
                    raise DeadlineExpired(message, seconds=quit_after, step="idle")
            changed.wait(min(wait, _SLICE))


def _settle(right: Connection) -> None:
    """Let what was sent arrive, where that can be told, before an abort makes a reset of bytes unread."""
    stream = right.stream
    while (inner := getattr(stream, "inner", None)) is not None:
        stream = inner
    settle = getattr(stream, "settle", None)
    if settle is not None:
        settle()


def _end_input(left: Connection, failure: Exception | None) -> None:
    """The right side is over: take what the left side holds ready, or nothing more if the right side failed."""
    drain = getattr(left.stream, "drain", None)
    if drain is not None and failure is None:
        drain()
    else:
        left.abort()
