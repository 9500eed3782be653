"""What closing a connected socket takes: reading away what the peer still sends, and seeing what has arrived."""

from __future__ import annotations

import select
import socket
import sys

from wirecat.deadline import Deadline
from wirecat.endpoints.failures import error_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LINGER = 1.0  # seconds a close waits for the end of a peer that is still sending
_SCRATCH = 65536


def pending_error(connected: socket.socket) -> int:
    """The errno with which the connection has failed, 0 where it has not. It is given once."""
    number = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if not number and sys.platform == "win32" and select.select([connected], [], [], 0)[0]:
        # There a reset is told by a read alone, and throws away what was unread.
        try:
            connected.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return 0
        except OSError as error:
            return error_number(error)
    return number


def read_away(connected: socket.socket) -> None:
    """After our FIN: read what the peer sends and nobody will read, until its end. Without waiting for that where it has
    sent nothing and has got all of ours; for at most LINGER seconds in any case."""
    deadline = Deadline(LINGER)
    heard = False
    pause = 0.0
    while True:
        connected.settimeout(pause)
        try:
            if not connected.recv(_SCRATCH):
                return
            heard = True
        except (BlockingIOError, TimeoutError):
            if not heard and not on_its_way(connected):
                return
        remaining = deadline.remaining() or 0.0
        if not remaining:
            return
        # Nothing tells when the peer's system has got it all, so that is looked at, at growing intervals.
        pause = remaining if heard else min(remaining, max(0.001, pause * 2), 0.05)


def drain(connected: socket.socket) -> None:
    """Read away what is there, without waiting."""
    connected.settimeout(0)
    try:
        while connected.recv(_SCRATCH):
            pass
    except BlockingIOError:
        pass


def on_its_way(connected: socket.socket) -> bool:
    """Whether bytes that were sent have not arrived at the peer's system yet, where this system tells (tcp(7), SIOCOUTQ)."""
    if sys.platform != "linux" or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    import fcntl
    import termios

    count = fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(count, sys.byteorder) > 1  # the FIN counts as one


def settle(connected: socket.socket, is_aborted: Callable[[], bool]) -> None:
    """Wait until all that was sent has reached the peer's system, where this one can tell; for LINGER seconds at most.

    For a caller that is about to abort while the peer may still be sending: unread bytes make a reset of the end, and a
    reset discards what is still on its way.
    """
    deadline, pause = Deadline(LINGER), 1
    try:
        while not is_aborted() and on_its_way(connected) and deadline.remaining():
            # No event tells when it has arrived, so that is looked at, at growing intervals. A broken end is an event.
            broke = select.poll()
            broke.register(connected, 0)
            if broke.poll(pause):
                return
            pause = min(pause * 2, 50)
    except (OSError, ValueError):
        return  # closed meanwhile
