"""The first packet of a connection that a firewall is asked about: where it comes from, and where it goes.

Its source is not one address but a region: some PC of the local network, or some host on the internet. So whether a
rule for a network matches has three answers: True for all of the region, False for none of it, None for a part.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network, summarize_address_range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Network = IPv4Network | IPv6Network
    Host = IPv4Address | IPv6Address

LAN, INTERNET = "lan", "internet"

# What a host out there can have as its address (the IANA registry of IPv6 unicast space; of IPv4 all that is global).
_GLOBAL_UNICAST = ip_network("2000::/3")


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """Or, of three values."""
    result: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            result = None
    return result


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """And, of three values."""
    result: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


class Packet:
    """A SYN to ``port`` of ``destination``, an address of this PC, that came in by ``interface``.

    ``region`` is LAN or INTERNET; ``lan`` the network that ``destination`` is in.
    """

    __slots__ = ("destination", "family", "interface", "lan", "port", "region")

    def __init__(self, region: str, interface: str, destination: str, prefix_length: int, port: int) -> None:
        self.region = region
        self.interface = interface
        self.destination: Host = ip_address(destination.partition("%")[0])
        self.family = "ipv4" if self.destination.version == 4 else "ipv6"
        self.lan: Network = ip_network(f"{self.destination}/{prefix_length}", strict=False)
        self.port = port

    def comes_from(self, network: Network) -> bool | None:
        """Whether the source is in ``network``."""
        if network.version != self.destination.version:
            return False
        if network.prefixlen == 0:
            return True
        if self.region == LAN:
            return _within(self.lan, network)
        if network.version == 6 and _within(_GLOBAL_UNICAST, network):
            return True
        # A part of the internet, unless nobody there has such an address, or they are all in this very network.
        return None if _has_global(network) and _within(network, self.lan) is not True else False

    def comes_from_range(self, first: Host, last: Host) -> bool | None:
        """Whether the source is one of the addresses from ``first`` to ``last``."""
        if first.version != last.version or int(first) > int(last):
            return False
        return any_of(map(self.comes_from, summarize_address_range(first, last)))


def _within(inner: Network, outer: Network) -> bool | None:
    """True: all of ``inner`` is in ``outer``; False: nothing; None: a part."""
    if inner.version != outer.version or not inner.overlaps(outer):
        return False
    return True if inner.prefixlen >= outer.prefixlen else None


def _has_global(network: Network) -> bool:
    if network.version == 6:
        return network.overlaps(_GLOBAL_UNICAST)
    return not (network.is_private or network.is_loopback or network.is_link_local or network.is_multicast)
