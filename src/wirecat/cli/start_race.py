"""The start race: a client that is started together with its server, on this machine.

A script that runs ``server & client`` gives the client no way to know when the server listens. A server that opens its
port first is nearly always ahead; where it is late by some milliseconds, a refusal by this machine is not the last word.
A server on another machine is not started by the same script, and a refusal by it is reported at once.
"""

from __future__ import annotations

import _thread

from wirecat.deadline import Deadline
from wirecat.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from wirecat.address import Address

    T = TypeVar("T")

PATIENCE = 0.025  # seconds in all
_PAUSE = 0.002  # seconds between two tries


def may_start_late(address: Address) -> bool:
    """Whether a server at ``address`` may have been started by the same script: TCP, on a loopback address."""
    return address.scheme in ("tcp", "tls") and address.this_pc_only


def try_again(open_connection: Callable[[], T]) -> T:
    """What ``open_connection()`` returns, called again while it raises Refused, for at most ``PATIENCE`` seconds.

    Raises what ``open_connection()`` raises.
    """
    deadline = Deadline(PATIENCE)
    never = _thread.allocate_lock()
    never.acquire()
    while True:
        never.acquire(timeout=_PAUSE)
        try:
            return open_connection()
        except Refused:
            if deadline.expired:
                raise
