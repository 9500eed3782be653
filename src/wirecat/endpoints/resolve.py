"""Name lookup: from a host and port to socket addresses, within a deadline, in the order of RFC 8305."""

from __future__ import annotations

import _socket
import _thread
import sys

from wirecat.deadline import LONGEST_WAIT, Deadline
from wirecat.errors import AddressError, NoAnswer, UnknownHost, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address

    Candidate = tuple[int, Any]  # address family and socket address

THIS_PC = ("127.0.0.1", "::1")
# Waits are cut into slices: on Windows Ctrl-C does not end one, elsewhere a signal that comes just before it does not.
_SLICE = 0.2 if sys.platform == "win32" else 0.5

# Seconds for the system's resolver to find a name that ends in .local, before the network itself is asked (RFC 6762).
_HEAD_START = 1.0


def resolve(address: Address, deadline: Deadline, step: str = "connect") -> list[Candidate]:
    """Where to connect to, IPv6 and IPv4 in turn (RFC 8305 section 4).

    Raises UnknownHost, NoAnswer (the lookup hung), UsageError (see ``lookup_name``).

    ``host`` None or "" is this PC, by both its loopback addresses; the option ``family`` (4 or 6) picks one kind.
    ``step`` is what it is for, in errors.
    """
    family = wanted_family(address)
    found = _resolve(address, deadline, step)
    if family is not None:
        found = [candidate for candidate in found if candidate[0] == family]
        if not found:
            raise UnknownHost(
                f"{address.host!r} has no IPv{address.option('family')} address", address=address.bare, step=step
            )
    return found


def wanted_family(address: Address) -> int | None:
    """The address family that the option ``family`` asks for; None where any will do. Raises AddressError."""
    text = address.option("family")
    if text not in ("", "4", "6"):
        raise AddressError(f"{text!r} is no address family", address=address.bare, hint="Write family=4 or family=6.")
    return {"4": int(_socket.AF_INET), "6": int(_socket.AF_INET6)}.get(text)


def _resolve(address: Address, deadline: Deadline, step: str) -> list[Candidate]:
    if not address.host:
        return [_literal(host, address.port or 0) for host in THIS_PC]
    literal = _literal_or_none(address.host, address.port or 0)
    if literal is not None:
        return [literal]
    return interleave(_lookup(address, lookup_name(address, step), deadline, step))


def check_host(address: Address, step: str = "connect") -> None:
    """Check the address' host without asking anyone. Raises what ``lookup_name`` raises."""
    if address.host and _literal_or_none(address.host, 0) is None:
        lookup_name(address, step)


def lookup_name(address: Address, step: str = "connect") -> str:
    """The address' host as it is looked up in DNS: ASCII, and without a zero byte.

    Raises UnknownHost for what cannot be a host name, and UsageError for an international name that needs the package
    ``idna`` where that is missing.
    """
    from wirecat.wire.host_name import dns_name

    host = address.host or ""
    if ":" in host:
        reason = f"{host!r} is not an IPv6 address, or has the zone of an interface that is not here"
        raise UnknownHost(reason, address=address.bare, step=step, errno=_socket.EAI_NONAME)

    try:
        return dns_name(host)
    except AddressError as error:
        raise UnknownHost(error.message, address=address.bare, step=step, errno=_socket.EAI_NONAME) from error
    except UsageError as error:
        error.address, error.step = address.bare, step
        raise


def _literal_or_none(host: str, port: int) -> Candidate | None:
    """The socket address of an address in numbers; None for a name."""
    if "\0" in host:  # where the C library would take the address to end
        return None
    try:
        return _literal(host, port)
    except (OSError, ValueError):
        return None


def _literal(host: str, port: int) -> Candidate:
    """The socket address of an address in numbers; raises OSError for a name. Asks nobody."""
    if ":" not in host:
        _socket.inet_pton(_socket.AF_INET, host)
        return _socket.AF_INET, (host, port)
    # Only getaddrinfo knows the number behind a scope such as %eth0.
    found = _socket.getaddrinfo(host.encode(), port, _socket.AF_INET6, _socket.SOCK_STREAM, 0, _socket.AI_NUMERICHOST)
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


def _lookup(address: Address, name: str, deadline: Deadline, step: str) -> list[Candidate]:
    """getaddrinfo(3) in a thread: it knows no deadline and may take half a minute when no name server answers."""
    import socket

    from wirecat.endpoints.watched_wait import check_partner

    outcome: list[Any] = []
    done = _thread.allocate_lock()
    done.acquire()
    host = address.host or ""

    def look() -> None:
        try:
            # A name in bytes spares Python's idna codec, and with it 6 to 8 ms.
            outcome.append(socket.getaddrinfo(name.encode("ascii"), address.port, 0, socket.SOCK_STREAM))
        except OSError as error:
            outcome.append(error)
        finally:
            done.release()

    _thread.start_new_thread(look, ())
    head_start = Deadline(_HEAD_START) if is_local_name(host) else None
    while not done.acquire(timeout=_wait(deadline)):
        if head_start is not None and head_start.expired:
            from wirecat.endpoints.local_name import ask_meanwhile

            head_start = None
            if asked := ask_meanwhile(address, deadline):
                return asked
        if deadline.partner is not None:
            check_partner(deadline.partner)
        if deadline.expired:
            raise NoAnswer(
                f"the lookup of {host!r} took longer than {deadline.seconds:g} s", address=address.bare, step=step,
                hint="The name server does not answer. Try the address in numbers.",
            )  # fmt: skip
    found = outcome[0]
    if isinstance(found, OSError):
        from wirecat.endpoints.failures import lookup_failure

        failure = lookup_failure(found, address.bare, step)
        if head_start is not None:
            from wirecat.endpoints.local_name import ask_instead

            return ask_instead(address, deadline, failure)
        raise failure from found
    unique = dict.fromkeys(
        (family, place) for family, _, _, _, place in found if family in (_socket.AF_INET, _socket.AF_INET6)
    )
    if not unique:
        raise UnknownHost(f"{host!r} has no address that can be used", address=address.bare, step=step)
    return list(unique)


def is_local_name(host: str) -> bool:
    """Whether multicast DNS answers for such a name (RFC 6762 section 3).

    >>> is_local_name("desk.local"), is_local_name("Desk.LOCAL."), is_local_name("local"), is_local_name("a.example")
    (True, True, False, False)
    """
    return host.lower().removesuffix(".").endswith(".local")


def _wait(deadline: Deadline) -> float:
    return deadline.within(LONGEST_WAIT if _SLICE is None else _SLICE)
