"""Binding: which places a listener's address stands for, and sockets bound to all of them on one port."""

from __future__ import annotations

import _socket
import errno
import sys

from wirecat.deadline import Deadline
from wirecat.endpoints.resolve import THIS_PC, resolve, wanted_family

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address

    Place = tuple[int, str, int]  # family, host in numbers, scope
    Places = list[Place]

EVERY_INTERFACE = ("0.0.0.0", "::")
PORT_TRIES = 20  # a free port has to be free in both families
LOOKUP_TIME = 10.0  # seconds for the name of an address to listen on
# A family that this machine does not have: IPv6 switched off in the kernel, or no address of it.
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


def bind_address(
    address: Address,
    bind: Callable[[Places, int, bool], list[_socket.socket]],
    holder: Callable[[Address], str] = lambda address: "",
) -> list[_socket.socket]:
    """The sockets that ``bind(places, port, every_needed)`` makes.

    It is tried again where the free port that the kernel chose is free in one family only. ``holder`` says who has a
    taken port. Raises ListenError, UnknownHost.
    """
    places, every_needed = places_to_bind(address)
    for attempt in range(PORT_TRIES):
        try:
            return bind(places, address.port or 0, every_needed)
        except OSError as error:
            from wirecat.endpoints.failures import error_number, listen_failure

            taken = error_number(error) == errno.EADDRINUSE
            if taken and not address.port and attempt + 1 < PORT_TRIES:
                continue
            raise listen_failure(error, address.bare, holder(address) if taken else "") from error
    raise AssertionError("the loop returns or raises")


def places_to_bind(address: Address) -> tuple[Places, bool]:
    """Family, host and scope to bind, and whether all of them have to work."""
    if not address.host:
        hosts = THIS_PC if address.host is None else EVERY_INTERFACE
        both = [(int(_socket.AF_INET6 if ":" in host else _socket.AF_INET), host, 0) for host in hosts]
        family = wanted_family(address)
        return [place for place in both if family in (None, place[0])], family is not None
    found = resolve(address, Deadline(LOOKUP_TIME), "listen")
    found.sort(key=lambda candidate: candidate[0] != _socket.AF_INET)
    places = [(family, place[0], place[3] if len(place) > 3 else 0) for family, place in found]
    return places, len(places) == 1


def is_local_host(family: int, place: tuple[Any, ...]) -> bool:
    """Whether the host of a socket address is one of this machine's: whether it can be bound."""
    import socket

    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((place[0], 0, *place[2:]))
        except OSError:
            return False
    return True


def bind_all(
    places: Places,
    port: int,
    every_needed: bool,
    *,
    kind: int = _socket.SOCK_STREAM,
    protocol: int = 0,
    options: tuple[tuple[int, int], ...] = (),
    backlog: int | None = None,
) -> list[_socket.socket]:
    """A socket of ``kind`` and ``protocol`` for each place, all on one port; it listens where there is a ``backlog``.

    ``options`` (level and name, as for setsockopt(2)) are switched on. Raises OSError; then none is left open.
    """
    opened: list[_socket.socket] = []
    missing: OSError | None = None
    try:
        for family, host, scope in places:
            try:
                bound = _socket.socket(family, kind, protocol)
                opened.append(bound)
                _prepare(bound, family)
                for level, name in options:
                    bound.setsockopt(level, name, 1)
                bound.bind((host, port) if family == _socket.AF_INET else (host, port, 0, scope))
                if backlog is not None:
                    bound.listen(backlog)
            except OSError as error:
                from wirecat.endpoints.failures import error_number

                if every_needed or error_number(error) not in _NO_SUCH_FAMILY:
                    raise
                missing = error
                if opened and opened[-1].family == family:
                    opened.pop().close()
                continue
            port = port or bound.getsockname()[1]
        if not opened and missing is not None:
            raise missing
    except BaseException:
        for bound in opened:
            bound.close()
        raise
    return opened


def _prepare(bound: _socket.socket, family: int) -> None:
    """What holds for every socket that is to be bound: nobody takes its port away, and it serves one family."""
    if sys.platform == "win32":
        # There SO_REUSEADDR would let a second server take the port away ("Using SO_REUSEADDR and
        # SO_EXCLUSIVEADDRUSE").
        bound.setsockopt(_socket.SOL_SOCKET, _socket.SO_EXCLUSIVEADDRUSE, 1)
    elif bound.type == _socket.SOCK_STREAM:
        # Old connections in TIME-WAIT do not keep the port. (Datagram sockets would share it, and steal from each
        # other.)
        bound.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    if family == _socket.AF_INET6:
        bound.setsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY, 1)
    bound.setblocking(False)
