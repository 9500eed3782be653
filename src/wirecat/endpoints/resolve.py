"""Name lookup: from a host and port to socket addresses, within a deadline, in the order of RFC 8305."""

from __future__ import annotations

import _thread
import socket
import sys

from wirecat.endpoints.failures import connect_failure, lookup_failure
from wirecat.errors import UnknownHost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.deadline import Deadline

    Candidate = tuple[int, Any]  # address family and socket address

THIS_PC = ("127.0.0.1", "::1")
# On Windows a wait for a lock cannot be interrupted by Ctrl-C, so it is cut into slices.
_SLICE = 0.2 if sys.platform == "win32" else None


def resolve(address: Address, deadline: Deadline) -> list[Candidate]:
    """Where to connect to, IPv6 and IPv4 in turn (RFC 8305 section 4). Raises UnknownHost, NoAnswer (the lookup hung).

    ``host`` None or "" is this PC, by both its loopback addresses.
    """
    if not address.host:
        return [_literal(host, address.port or 0) for host in THIS_PC]
    try:
        return [_literal(address.host, address.port or 0)]
    except OSError:
        pass  # no literal address: a name
    return interleave(_lookup(address, deadline))


def _literal(host: str, port: int) -> Candidate:
    """The socket address of an address in numbers; raises OSError for a name. Asks nobody."""
    if ":" not in host:
        socket.inet_pton(socket.AF_INET, host)
        return socket.AF_INET, (host, port)
    # Only getaddrinfo knows the number behind a scope such as %eth0.
    found = socket.getaddrinfo(host.encode(), port, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    return int(found[0][0]), found[0][4]


def interleave(candidates: list[Candidate]) -> list[Candidate]:
    """Alternate the families, beginning with that of the system's first choice (RFC 8305 section 4)."""
    first = [candidate for candidate in candidates if candidate[0] == candidates[0][0]]
    second = [candidate for candidate in candidates if candidate[0] != candidates[0][0]]
    ordered: list[Candidate] = []
    while first or second:
        ordered += first[:1] + second[:1]
        first, second = first[1:], second[1:]
    return ordered


def _lookup(address: Address, deadline: Deadline) -> list[Candidate]:
    """getaddrinfo(3) in a thread: it knows no deadline and may take half a minute when no name server answers."""
    outcome: list[Any] = []
    done = _thread.allocate_lock()
    done.acquire()
    host = address.host or ""

    def look() -> None:
        try:
            # A host in bytes spares the idna codec and with it 6 to 8 ms, where there is nothing to encode.
            name: str | bytes = host.encode("ascii") if host.isascii() else host
            outcome.append(socket.getaddrinfo(name, address.port, 0, socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            outcome.append(error)
        finally:
            done.release()

    _thread.start_new_thread(look, ())
    while not done.acquire(timeout=_wait(deadline)):
        if deadline.expired:
            raise connect_failure(TimeoutError(), address, deadline.seconds)
    found = outcome[0]
    if isinstance(found, UnicodeError):
        raise UnknownHost(f"{host!r} cannot be a host's name", address=address, step="connect") from found
    if isinstance(found, OSError):
        raise lookup_failure(found, address) from found
    unique = dict.fromkeys(
        (family, place) for family, _, _, _, place in found if family in (socket.AF_INET, socket.AF_INET6)
    )
    return list(unique)


def _wait(deadline: Deadline) -> float:
    remaining = deadline.remaining()
    slices = [part for part in (remaining, _SLICE) if part is not None]
    return min(slices) if slices else -1
