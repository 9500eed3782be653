"""TCP: connecting and listening, on IPv4 and IPv6."""

from __future__ import annotations

import errno
import socket
import sys

from wirecat.deadline import Deadline
from wirecat.endpoints.failures import connect_failure, error_number, listen_failure
from wirecat.endpoints.resolve import THIS_PC, resolve
from wirecat.endpoints.socket_stream import SocketStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.endpoints.listener import Listener

EVERY_INTERFACE = ("0.0.0.0", "::")
PORT_TRIES = 20  # a free port has to be free in both families
LOOKUP_TIME = 10.0  # seconds for the name of an address to listen on
# A family that this machine does not have: IPv6 switched off in the kernel, or no address of it.
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


def open_stream(address: Address, deadline: Deadline) -> SocketStream:
    """Connect. Raises UnknownHost, Refused, NoAnswer, Unreachable."""
    from wirecat.endpoints.race import connect_first

    candidates = resolve(address, deadline)
    try:
        connected = connect_first(candidates, deadline)
    except OSError as error:
        raise connect_failure(error, address, deadline.seconds) from error
    # What is written is a whole message; holding it back (RFC 896) only delays the answer, by 40 ms and more.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return SocketStream(connected)


def open_listener(address: Address, backlog: int) -> Listener:
    """Listen on every address that ``address`` stands for. Raises ListenError, UnknownHost."""
    from wirecat.endpoints.listener import Listener

    places, every_needed = _places(address)
    for attempt in range(PORT_TRIES):
        try:
            return Listener(_listen_on(places, address.port or 0, backlog, every_needed))
        except OSError as error:
            taken = error_number(error) == errno.EADDRINUSE
            if taken and not address.port and attempt + 1 < PORT_TRIES:
                continue
            raise listen_failure(error, address, _holder(address) if taken else "") from error
    raise AssertionError("the loop returns or raises")


def _places(address: Address) -> tuple[list[tuple[int, str, int]], bool]:
    """Family, host and scope to bind, and whether all of them have to work."""
    if not address.host:
        hosts = THIS_PC if address.host is None else EVERY_INTERFACE
        return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host, 0) for host in hosts], False
    found = resolve(address, Deadline(LOOKUP_TIME))
    found.sort(key=lambda candidate: candidate[0] != socket.AF_INET)
    places = [(family, place[0], place[3] if len(place) > 3 else 0) for family, place in found]
    return places, len(places) == 1


def _listen_on(
    places: list[tuple[int, str, int]], port: int, backlog: int, every_needed: bool
) -> list[socket.socket]:
    """A listening socket for each place, all on one port. Raises OSError; then none is left open."""
    opened: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, host, scope in places:
            try:
                listening = socket.socket(family, socket.SOCK_STREAM)
                opened.append(listening)
                _prepare(listening, family)
                listening.bind((host, port) if family == socket.AF_INET else (host, port, 0, scope))
                listening.listen(backlog)
            except OSError as error:
                if every_needed or error_number(error) not in _NO_SUCH_FAMILY:
                    raise
                missing = error
                if opened and opened[-1].family == family:
                    opened.pop().close()
                continue
            port = port or listening.getsockname()[1]
        if not opened and missing is not None:
            raise missing
    except BaseException:
        for listening in opened:
            listening.close()
        raise
    return opened


def _prepare(listening: socket.socket, family: int) -> None:
    if sys.platform == "win32":
        # There SO_REUSEADDR would let a second server take the port away ("Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE").
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # Accepted sockets inherit both: no waiting for a fuller packet, and a peer that vanished is noticed some day.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listening.setblocking(False)


def _holder(address: Address) -> str:
    """Who listens on the port already, in words; empty where it cannot be seen."""
    from wirecat.system.socket_table import find_listener

    row = find_listener(address.port or 0)
    if row is None or row.pid is None:
        return ""
    return f"{row.process or 'a process'} (pid {row.pid})"
