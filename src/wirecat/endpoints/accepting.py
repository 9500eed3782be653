"""Accepting: one client of a listening socket, and what accept(2) reports of those that failed in the queue."""

from __future__ import annotations

import errno
import socket
import sys

from wirecat.endpoints.failures import error_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What accept(2) gives for a connection that failed while it was queued: the next one may be well.
GONE_IN_THE_QUEUE = {
    errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT,
    errno.ECONNRESET, getattr(errno, "ENONET", errno.ENETDOWN), getattr(errno, "EHOSTDOWN", errno.EHOSTUNREACH),
}  # fmt: skip


class AcceptedSocket(socket.socket):
    """A socket whose class knows its family and type as numbers. The standard library makes an enum of them each time it
    is asked, and an event loop asks several times for each client: a tenth of all that a connection costs it."""

    __slots__ = ()


_KINDS: dict[tuple[int, int], type[AcceptedSocket]] = {}


def _kind_of(family: int, type_: int) -> type[AcceptedSocket]:
    found = _KINDS.get((family, type_))
    if found is None:
        shape = {"__slots__": (), "family": family, "type": type_}
        found = _KINDS[family, type_] = type("AcceptedSocket", (AcceptedSocket,), shape)
    return found


def _accept(listening: socket.socket) -> tuple[socket.socket, Any]:
    accept = getattr(listening, "_accept", None)  # what socket.accept calls, to make a socket.socket of what it gives
    if accept is None or type(listening) is not socket.socket:
        return listening.accept()
    plain: Any = super(socket.socket, listening)
    descriptor, peer = accept()
    family, type_ = plain.family, plain.type
    return _kind_of(family, type_)(family, type_, plain.proto, descriptor), peer


def accept_from(listening: socket.socket) -> tuple[socket.socket, Any] | None:
    """One queued client and its address, as a blocking socket; None if nobody is queued.

    Raises OSError for what concerns this machine (EMFILE, ENFILE, ENOBUFS, ENOMEM, a closed listener); clients that
    failed while they were queued are passed over (accept(2), "Error handling").
    """
    while True:
        try:
            accepted, peer = _accept(listening)
        except BlockingIOError:
            return None
        except OSError as error:
            if error_number(error) in GONE_IN_THE_QUEUE:
                continue
            raise
        # Linux alone does not let it be as its listener is; and the program may have asked for a time limit for all.
        if sys.platform != "linux" or accepted.gettimeout() is not None:
            accepted.setblocking(True)
        return accepted, peer
