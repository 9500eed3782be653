"""TCP: connecting and listening, on IPv4 and IPv6."""

from __future__ import annotations

import _socket

from wirecat.endpoints.binding import bind_address, bind_all
from wirecat.endpoints.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.binding import Places
    from wirecat.endpoints.listener import Listener
    from wirecat.endpoints.socket_stream import SocketStream


#: Accepted sockets inherit both: no waiting for a fuller packet, and a peer that vanished is noticed some day.
ACCEPTED_INHERIT = ((_socket.IPPROTO_TCP, _socket.TCP_NODELAY), (_socket.SOL_SOCKET, _socket.SO_KEEPALIVE))


def open_stream(address: Address, deadline: Deadline) -> SocketStream:
    """Connect, by way of the option ``proxy`` where there is one.

    Raises UnknownHost, Refused, NoAnswer, Unreachable, ProxyError.
    """
    if address.option("proxy"):
        from wirecat.endpoints.proxy import open_through_proxy

        return open_through_proxy(address, deadline)
    return connect_to(address, deadline)


def connect_to(address: Address, deadline: Deadline) -> SocketStream:
    """Connect without a detour. Raises UnknownHost, Refused, NoAnswer, Unreachable."""
    import socket

    from wirecat.endpoints.race import connect_first
    from wirecat.endpoints.socket_stream import SocketStream

    candidates = resolve(address, deadline)
    make = None
    if address.option("source") or address.option("route"):
        from wirecat.endpoints.source import reachable_from, socket_maker

        make, families = socket_maker(address, deadline)
        candidates = reachable_from(candidates, families, address)
    try:
        connected = connect_first(candidates, deadline, make)
    except OSError as error:
        from wirecat.endpoints.failures import connect_failure

        raise connect_failure(error, address.bare, deadline.seconds) from error
    # What is written is a whole message; holding it back (RFC 896) only delays the answer, by 40 ms and more.
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        pass  # macOS: reset already, which whoever uses it will see
    try:
        peer = connected.getpeername()
    except OSError:  # reset already: it has no name any more
        peer = address.bare
    return SocketStream(connected, peer)


def open_listener(address: Address, backlog: int) -> Listener:
    """Listen on every address that ``address`` stands for. Raises ListenError, UnknownHost."""
    from wirecat.endpoints.listener import Listener

    def bind(places: Places, port: int, every_needed: bool) -> list[_socket.socket]:
        return _listen_on(places, port, backlog, every_needed)

    return Listener(bind_address(address, bind, holder_of_port))


def _listen_on(places: Places, port: int, backlog: int, every_needed: bool) -> list[_socket.socket]:
    """A listening socket for each place, all on one port. Raises OSError; then none is left open."""
    return bind_all(places, port, every_needed, options=ACCEPTED_INHERIT, backlog=backlog)


def holder_of_port(address: Address) -> str:
    """Who listens on the port already, in words; empty where it cannot be seen."""
    from wirecat.system.socket_table import find_listener

    row = find_listener(address.port or 0)
    if row is None or row.pid is None:
        return ""
    return f"{row.process or 'a process'} (pid {row.pid})"
