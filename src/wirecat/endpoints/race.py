"""Connecting to the first address that answers: the race of RFC 8305 ("Happy Eyeballs"), under one deadline.

The addresses are tried in order, the next one 250 ms after the one before or as soon as that one has failed; the first
that is connected wins and the others are dropped.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
from time import monotonic

from wirecat.deadline import LONGEST_WAIT
from wirecat.endpoints.failures import error_number
from wirecat.endpoints.watched_wait import POLL_TELLS_LOSS, check_partner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.deadline import Deadline
    from wirecat.endpoints.resolve import Candidate
    from wirecat.endpoints.source import MakeSocket
    from wirecat.stream import Stream

ATTEMPT_DELAY = 0.25  # RFC 8305 section 5: the recommended Connection Attempt Delay
_SLICE = 0.2 if sys.platform == "win32" else 0.5  # a signal that comes just before a wait does not end it
_STARTED = (errno.EINPROGRESS, errno.EALREADY, 10035)  # 10035: WSAEWOULDBLOCK


def connect_first(candidates: list[Candidate], deadline: Deadline, make: MakeSocket | None = None) -> socket.socket:
    """A blocking socket, connected to the first of ``candidates`` that answers.

    ``make`` makes the socket for a family, where it is to be another than a plain one. Raises TimeoutError at the
    deadline, else the OSError of the last failure (a refusal rather than "unreachable"); PartnerLost.
    """
    waiting = list(candidates)
    pending: dict[int, socket.socket] = {}
    failures: list[OSError] = []
    winner: socket.socket | None = None
    next_start = monotonic()
    try:
        while winner is None and (waiting or pending):
            if waiting and (not pending or monotonic() >= next_start):
                before = len(failures)
                winner = _start(waiting.pop(0), pending, failures, make)
                next_start = monotonic() + (ATTEMPT_DELAY if len(failures) == before else 0)
                continue
            if deadline.expired:
                raise TimeoutError(errno.ETIMEDOUT, "timed out")
            pause = next_start - monotonic() if waiting else None
            for descriptor in _wait(
                pending, _least(pause, deadline.remaining(), _SLICE or LONGEST_WAIT), deadline.partner
            ):
                winner = winner or _finish(pending.pop(descriptor), failures)
                next_start = monotonic()  # a failure: the next one need not wait
    finally:
        for other in pending.values():
            other.close()
    if winner is None:
        raise _worth_telling(failures)
    winner.setblocking(True)
    return winner


def _start(
    candidate: Candidate, pending: dict[int, socket.socket], failures: list[OSError], make: MakeSocket | None
) -> socket.socket | None:
    """Begin one attempt; it is connected at once (and returned), pending, or has failed."""
    family, place = candidate
    try:
        attempt = make(family) if make is not None else socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        failures.append(error)
        return None
    attempt.setblocking(False)
    try:
        result = attempt.connect_ex(place)
    except BaseException:  # what cannot be an address: OverflowError, UnicodeError
        attempt.close()
        raise
    if result == 0:
        return _finish(attempt, failures)
    if result in _STARTED:
        pending[attempt.fileno()] = attempt
        return None
    attempt.close()
    failures.append(OSError(result, os.strerror(result)))
    return None


def _finish(attempt: socket.socket, failures: list[OSError]) -> socket.socket | None:
    """The attempt if it is connected, else None, its error kept."""
    result = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if result == 0:
        try:
            # A port among those the kernel hands out to clients may, with nobody listening, be joined to itself
            # (simultaneous open, RFC 9293 section 3.5). Whoever waits for a server must not take that for one.
            if attempt.getsockname() == attempt.getpeername():
                result = errno.ECONNREFUSED
        except OSError as error:  # ENOTCONN: it was connected, and is reset already
            result = errno.ECONNRESET if error_number(error) == errno.ENOTCONN else error_number(error)
    if result == 0:
        return attempt
    attempt.close()
    failures.append(OSError(result, os.strerror(result)))
    return None


def _wait(pending: dict[int, socket.socket], seconds: float, partner: Stream | None) -> list[int]:
    """The descriptors whose attempt has come to an end, after at most ``seconds``. Raises PartnerLost."""
    if not hasattr(select, "poll"):
        sockets = list(pending.values())
        # Windows tells a failed connect by the third list alone.
        _, done, failed = select.select([], sockets, sockets, max(0.0, seconds))
        if partner is not None:
            check_partner(partner)
        return [attempt.fileno() for attempt in {*done, *failed}]
    poll = select.poll()
    for descriptor in pending:
        poll.register(descriptor, select.POLLOUT)
    watched = -1 if partner is None else partner.loss_descriptor
    if watched >= 0 and POLL_TELLS_LOSS:
        poll.register(watched, 0)
    found = dict(poll.poll(max(0.0, seconds) * 1000 + 1))
    if partner is not None:
        check_partner(partner, found.pop(watched, 0))
    return list(found)


def _least(*seconds: float | None) -> float:
    return min(value for value in seconds if value is not None)


def _worth_telling(failures: list[OSError]) -> OSError:
    """Of several failures the one that says most: somebody was there, or answered, rather than no way there."""
    for number in (errno.ECONNRESET, errno.ECONNREFUSED):
        for failure in failures:
            if error_number(failure) == number:
                return failure
    return failures[-1]
