"""What a connection goes out from: the option ``source``, an address or a port of this machine, or both."""

from __future__ import annotations

import errno
import socket
import sys

from wirecat.address import Address
from wirecat.endpoints.failures import error_number
from wirecat.endpoints.resolve import resolve
from wirecat.errors import AddressError, BindError, UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.deadline import Deadline
    from wirecat.endpoints.resolve import Candidate

    MakeSocket = Callable[[int], socket.socket]

EXAMPLES = "Write source=192.168.1.7, source=192.168.1.7:4000, source=[::1]:4000 or source=:4000."
_ANYWHERE = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


def socket_maker(
    address: Address, deadline: Deadline, kind: int = socket.SOCK_STREAM, protocol: int = 0
) -> tuple[MakeSocket, set[int]]:
    """A function that makes a socket of a family, bound to the address' ``source``; and the families that it can make.

    Raises AddressError for a source that cannot be read, UnknownHost for a source name that does not resolve. The function
    raises BindError where the source is taken or not this machine's.
    """
    text = address.option("source")
    families = {int(socket.AF_INET)} if address.option("route") else {int(family) for family in _ANYWHERE}
    if not text:
        return lambda family: routed(socket.socket(family, kind, protocol), address), families
    host, port = _host_and_port(text)
    if host:
        places: dict[int, Any] = dict(reversed(_lookup(address.scheme, host, port, text, deadline)))
    else:
        places = {family: (any_host, port) for family, any_host in _ANYWHERE.items()}

    def make(family: int) -> socket.socket:
        made = routed(socket.socket(family, kind, protocol), address)
        try:
            if sys.platform != "win32" and kind == socket.SOCK_STREAM:
                # An earlier connection from this port may still be in TIME-WAIT.
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(places[family])
        except OSError as error:
            made.close()
            raise _bind_failure(error, text) from error
        return made

    return make, families & set(places)


def routed(made: socket.socket, address: Address) -> socket.socket:
    """The socket, told to send by way of the hops of the option ``route``, where there is one: ``HOP,HOP@POINTER``.

    Raises UsageError where they cannot be, or the system does not let it; the socket is closed then.
    """
    text = address.option("route")
    if not text:
        return made
    from wirecat.wire.source_route import loose_source_route

    hops, _, pointer = text.partition("@")
    try:
        if not (pointer or "4").isdecimal():
            raise AddressError(f"{pointer!r} is no pointer", address=address.bare, step="connect")
        route = loose_source_route(hops.split(","), address.host or "", int(pointer or 4))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, route)
    except UsageError as error:
        made.close()
        error.address, error.step = text, "route"
        raise
    except OSError as error:
        made.close()
        raise UsageError(error.strerror or str(error), address=text, step="route", errno=error.errno) from error
    return made


def reachable_from(candidates: list[Candidate], families: set[int], address: Address) -> list[Candidate]:
    """The candidates of those families. Raises UsageError where there is none."""
    found = [candidate for candidate in candidates if candidate[0] in families]
    if not found and not address.option("source"):
        raise UsageError("a source route is for IPv4", address=address.bare, step="connect")
    if not found:
        raise UsageError(
            f"the source {address.option('source')} is of another family than the target", address=address.bare,
            step="connect", hint="IPv4 goes to IPv4 only, IPv6 to IPv6.",
        )  # fmt: skip
    return found


def _lookup(scheme: str, host: str, port: int, text: str, deadline: Deadline) -> list[Candidate]:
    try:
        return resolve(Address(scheme, host, port), deadline, "source")
    except WirecatError as error:
        error.address = text  # as the user wrote it
        raise


def _host_and_port(text: str) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT``, ``[HOST]:PORT``, ``:PORT`` or ``PORT``."""
    if text.isascii() and text.isdigit():
        text = f":{text}"
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        right = bool(bracket and host) and rest[:1] in ("", ":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        right = bool(host or port)
    else:
        host, port, right = text, "", True
    right = right and (":" not in host or _is_ipv6(host.partition("%")[0]))
    if not right or (port and not (port.isascii() and port.isdigit() and len(port) <= 6 and int(port) <= 65535)):
        raise AddressError("it is not an address or port", address=repr(text), step="source", hint=EXAMPLES)
    return host, int(port or 0)


def _is_ipv6(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except (OSError, ValueError):
        return False
    return True


def _bind_failure(error: OSError, text: str) -> BindError:
    number = error_number(error)
    reasons = {
        errno.EADDRINUSE: "it is taken, or a connection from it to there is not long gone",
        errno.EADDRNOTAVAIL: "that address is not this PC's",
        errno.EACCES: "ports below 1024 are privileged",
    }
    message = reasons.get(number, error.strerror or str(error))
    return BindError(message, address=text, step="source", errno=number)
