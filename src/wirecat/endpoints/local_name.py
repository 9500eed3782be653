"""Names that end in ``.local``, asked of the local network itself (RFC 6762) where the system's resolver cannot."""

from __future__ import annotations

import socket

from wirecat.errors import WirecatError
from wirecat.system.multicast_dns import INSTALL, local_network, open_multicast_dns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.errors import UnknownHost

#: Seconds that the network is given to answer.
PATIENCE = 3.0
#: Addresses of one name that are tried, whatever a hostile answer holds.
MOST_ADDRESSES = 16


def ask_meanwhile(address: Address, deadline: Deadline) -> list[tuple[int, Any]]:
    """As ``ask_local_network``, for while the system's resolver is silent; empty where the network cannot be asked."""
    try:
        return ask_local_network(address.host or "", address.port or 0, deadline)
    except WirecatError:
        return []  # the resolver may answer yet


def ask_instead(address: Address, deadline: Deadline, failure: UnknownHost) -> list[tuple[int, Any]]:
    """As ``ask_local_network``, after the system's resolver failed: without an answer it raises that failure."""
    try:
        asked = ask_local_network(address.host or "", address.port or 0, deadline)
    except WirecatError as error:
        failure.hint = f"The local network was not asked: {error.message}. {error.hint}"
        if error.hint == INSTALL:
            failure.hint = f"To ask the local network itself: {INSTALL}"
        raise failure from error
    if not asked:
        failure.hint = "Nobody on the local network answers to it. See who is there: wirecat reach --browse"
        raise failure
    return asked


def ask_local_network(host: str, port: int, deadline: Deadline) -> list[tuple[int, Any]]:
    """The socket addresses of ``host``; empty where nobody answers in time.

    Raises UsageError without the package zeroconf, Unreachable where this PC is in no local network.
    """
    multicast = open_multicast_dns(local_network(), "connect")
    try:
        from zeroconf import AddressResolver, Error, IPVersion  # type: ignore[attr-defined]

        try:
            asked = AddressResolver(f"{host.removesuffix('.')}.")
            if not asked.request(multicast, deadline.within(PATIENCE) * 1000):
                return []
        except Error:
            return []  # no host is called so (RFC 1035 section 2.3.4)
        texts = asked.parsed_scoped_addresses(IPVersion.All)[:MOST_ADDRESSES]
    finally:
        multicast.close()
    return [_socket_address(text, port) for text in texts]


def _socket_address(text: str, port: int) -> tuple[int, Any]:
    """What to connect to; a link-local address comes with the interface that the answer arrived by."""
    found = socket.getaddrinfo(text, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    return int(found[0][0]), found[0][4]
