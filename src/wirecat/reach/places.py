"""Where an address is: this PC, the local network, a second translator, a carrier's, or the internet."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.system.interface_address import InterfaceAddress

PUBLIC, PRIVATE, CARRIER, SPECIAL = "public", "private", "carrier", "special"

_SHARED = ip_network("100.64.0.0/10")  # RFC 6598: between a carrier's translator and its customers


def kind_of(host: str) -> str:
    """What kind of address a literal is: PUBLIC, PRIVATE (RFC 1918, RFC 4193), CARRIER (RFC 6598) or SPECIAL.

    >>> kind_of("100.64.7.2"), kind_of("192.168.1.2"), kind_of("9.9.9.9"), kind_of("127.0.0.1")
    ('carrier', 'private', 'public', 'special')
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return SPECIAL
    if address in _SHARED:
        return CARRIER
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        return SPECIAL
    if address.is_global:
        return PUBLIC
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    return PRIVATE if any(address in ip_network(each) for each in private) else SPECIAL


def unmapped(host: str) -> str:
    """An IPv4 address that came over an IPv6 socket, as itself; any other as it is.

    >>> unmapped("::ffff:192.168.1.7")
    '192.168.1.7'
    """
    return host[7:] if host.startswith("::ffff:") and "." in host else host


def place_of(host: str, own: Iterable[InterfaceAddress], gateways: Iterable[str]) -> str:
    """Where a peer is: "host" (this PC), "lan", "internet", or "" where that says nothing (the router, a tunnel).

    The router's own address says nothing: it stands for others where the router translates inwards.
    """
    host = unmapped(host).partition("%")[0]
    address = ip_address(host)
    entries = [entry for entry in own if entry.prefix_length is not None]
    if address.is_loopback or any(entry.host.partition("%")[0] == host for entry in entries):
        return "host"
    if host in {gateway.partition("%")[0] for gateway in gateways}:
        return ""
    for entry in entries:
        network = ip_network(f"{entry.host.partition('%')[0]}/{entry.prefix_length}", strict=False)
        if entry.up and not entry.loopback and network.version == address.version and address in network:
            return "lan"
    return "internet" if kind_of(host) == PUBLIC else ""
