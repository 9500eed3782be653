"""UDP: a client's connected socket, and a listener that tells its peers apart."""

from __future__ import annotations

import _socket

from wirecat.endpoints.binding import bind_address, bind_all
from wirecat.endpoints.idle import LISTENER_IDLE, idle_of
from wirecat.endpoints.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.binding import Places
    from wirecat.endpoints.datagram_listener import DatagramListener
    from wirecat.endpoints.datagram_stream import DatagramStream


def open_stream(address: Address, deadline: Deadline) -> DatagramStream:
    """A socket for that host and port alone. Nothing is sent: whether anybody is there shows later.

    Raises UnknownHost, Unreachable (no way there).
    """
    from wirecat.endpoints.datagram_stream import DatagramStream
    from wirecat.endpoints.source import reachable_from, socket_maker

    idle = idle_of(address, None)
    make, families = socket_maker(address, deadline, _socket.SOCK_DGRAM)
    candidates = reachable_from(resolve(address, deadline), families, address)
    failure: OSError | None = None
    for family, place in candidates:
        try:
            connected = make(family)
            connected.settimeout(None)
        except OSError as error:
            failure = failure or error
            continue
        try:
            connected.connect(place)
        except OSError as error:
            connected.close()
            failure = failure or error
            continue
        return DatagramStream(connected, _peer_of(connected, address), idle=idle)
    assert failure is not None
    from wirecat.endpoints.failures import connect_failure

    raise connect_failure(failure, address.bare, deadline.seconds) from failure


def _peer_of(connected: socket.socket, address: Address) -> Address:
    place = connected.getpeername()
    return address.replace(host=place[0], port=place[1], options=())


def open_listener(address: Address, backlog: int) -> DatagramListener:
    """Bind the address; a peer is new with its first datagram. Raises ListenError, UnknownHost."""
    idle = idle_of(address, LISTENER_IDLE)
    bound = bind_datagrams(address)
    from wirecat.endpoints.datagram_listener import DatagramListener  # after bind(2), see ``listener``

    return DatagramListener(bound, backlog, idle=idle)


def bind_datagrams(address: Address) -> list[_socket.socket]:
    """A bound socket for each family that the address stands for. Raises ListenError, UnknownHost."""

    def bind(places: Places, port: int, every_needed: bool) -> list[_socket.socket]:
        return bind_all(places, port, every_needed, kind=_socket.SOCK_DGRAM)

    return bind_address(address, bind)
