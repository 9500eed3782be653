"""Multicast DNS on this machine's local networks (RFC 6762), by the package zeroconf: the extra ``[lan]``.

Questions and answers go to the interfaces of the local network alone: never into the networks of containers and virtual
machines, and never into a tunnel.
"""

from __future__ import annotations

import socket

from wirecat.errors import Unreachable, UsageError
from wirecat.system.interfaces import is_private_network, is_virtual, list_interfaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from zeroconf import Zeroconf

    from wirecat.system.interface_address import InterfaceAddress

#: How to get the package.
INSTALL = "pip install 'wirecat[lan]'"

#: What a server is announced as (RFC 6763 section 7), by the scheme of its address.
SERVICE_TYPES = {
    "tcp": "_wirecat._tcp.local.",
    "tls": "_wirecat._tcp.local.",
    "udp": "_wirecat._udp.local.",
    "dtls": "_wirecat._udp.local.",
}


def require_multicast_dns(what: str) -> None:
    """Raise UsageError where the package is missing; ``what`` needs it."""
    try:
        import zeroconf as zeroconf
    except ImportError as error:
        raise UsageError(f"{what} needs the package zeroconf", hint=INSTALL) from error


def local_network(interfaces: Iterable[InterfaceAddress] | None = None) -> list[InterfaceAddress]:
    """The addresses of this machine's interfaces that are up and lead to a local network."""
    return [
        entry
        for entry in (list_interfaces() if interfaces is None else interfaces)
        if entry.up and not entry.loopback and entry.scope != "host"
        and not is_virtual(entry.name) and not is_private_network(entry.name)
    ]  # fmt: skip


def open_multicast_dns(interfaces: list[InterfaceAddress], what: str) -> Zeroconf:
    """Speak multicast DNS on ``interfaces``, each named; to be closed by the caller.

    Raises UsageError without the package, Unreachable where there is no such interface or none can be used.
    """
    require_multicast_dns(what)
    from zeroconf import Zeroconf

    by_address = list({entry.name: entry.host for entry in interfaces if entry.family == "ipv4"}.values())
    if not interfaces:
        raise Unreachable("this PC is in no local network", step=what, hint="Connect it to a network.")
    # Where the system's IPv6 is half there, IPv4 alone still does.
    choices: list[list[str | int]] = [[*by_address, *_ipv6_numbers(interfaces)], [*by_address]]
    failure: Exception | None = None
    for choice in choices:
        if not choice:
            continue
        try:
            return Zeroconf(interfaces=choice)
        except (OSError, RuntimeError) as error:
            failure = error
    reason = getattr(failure, "strerror", None) or str(failure or "no interface can be used")
    raise Unreachable(
        f"the local network cannot be asked: {reason}", step=what, hint="It takes UDP port 5353 and multicast."
    ) from failure


def _ipv6_numbers(interfaces: list[InterfaceAddress]) -> list[int]:
    """The numbers of the interfaces that have IPv6: its multicast goes by interface (RFC 3493 section 5.2)."""
    numbers = []
    for name in dict.fromkeys(entry.name for entry in interfaces if entry.family == "ipv6"):
        try:
            numbers.append(socket.if_nametoindex(name))
        except (OSError, AttributeError):
            continue  # Windows calls it otherwise; IPv4 has to do
    return numbers
