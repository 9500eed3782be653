"""SCTP, one association a socket (RFC 6458 section 4): connecting and listening where the kernel has it.

It has no half-close: whoever ends an association ends both of its directions (RFC 9260 section 9.2).
"""

from __future__ import annotations

import errno
import socket

from wirecat.endpoints.binding import bind_address, bind_all
from wirecat.endpoints.failures import connect_failure, error_number
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.resolve import resolve
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import Any

    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.binding import Places

PROTOCOL: int = getattr(socket, "IPPROTO_SCTP", 132)
NODELAY = 3  # SCTP_NODELAY, linux/sctp.h
_ABSENT = {errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EINVAL, getattr(errno, "ESOCKTNOSUPPORT", 0)}


class SctpStream(SocketStream):
    """An association with one stream of bytes."""

    __slots__ = ()

    scheme = "sctp"
    can_half_close = False

    def _raw(self) -> int | str:
        return "SCTP"

    def half_close(self) -> None:
        """Raises UsageError: SCTP has none."""
        raise UsageError("SCTP knows no half-close", address=self.peer, step="half-close")


class SctpListener(Listener):
    """A listener for associations."""

    __slots__ = ()

    def open(self, accepted: socket.socket, peer: Any) -> SctpStream:
        """See Listener."""
        return SctpStream(accepted, peer)


def open_stream(address: Address, deadline: Deadline) -> SctpStream:
    """Connect. Raises UnknownHost, Refused, NoAnswer, Unreachable, and UsageError where the kernel has no SCTP."""
    from wirecat.endpoints.race import connect_first
    from wirecat.endpoints.source import reachable_from, socket_maker

    _require_sctp(address)
    make, families = socket_maker(address, deadline, socket.SOCK_STREAM, PROTOCOL)
    candidates = reachable_from(resolve(address, deadline), families, address)
    try:
        connected = connect_first(candidates, deadline, make)
    except OSError as error:
        raise connect_failure(error, address.bare, deadline.seconds) from error
    try:
        connected.setsockopt(PROTOCOL, NODELAY, 1)
    except OSError:
        pass  # reset already, which whoever uses it will see
    return SctpStream(connected)


def open_listener(address: Address, backlog: int) -> SctpListener:
    """Listen. Raises ListenError, UnknownHost, and UsageError where the kernel has no SCTP."""
    _require_sctp(address)

    def bind(places: Places, port: int, every_needed: bool) -> list[_socket.socket]:
        return bind_all(places, port, every_needed, protocol=PROTOCOL, options=((PROTOCOL, NODELAY),), backlog=backlog)

    return SctpListener(bind_address(address, bind), scheme="sctp")


def _require_sctp(address: Address) -> None:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, PROTOCOL).close()
    except OSError as error:
        if error_number(error) not in _ABSENT:
            raise connect_failure(error, address.bare) from error
        raise UsageError(
            "this PC's kernel has no SCTP", address=address.bare, hint="On Linux it may be a module: modprobe sctp.",
            errno=error.errno,
        ) from error  # fmt: skip
