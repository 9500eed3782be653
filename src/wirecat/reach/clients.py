"""The clients that are tried in a twin network: which addresses they have, and which gateways they answer for."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address, ip_network

from wirecat.reach.packet import LAN
from wirecat.wire.rtnetlink import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from wirecat.system.network_state import NetworkState
    from wirecat.wire.rtnetlink import Link

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}

#: Hosts that stand for all of the internet: global addresses, the first that is not in a network of this machine. They are used
#: inside the twin only. 11.0.0.0/8 and 2a00::/12 are allocated, so lists of addresses that cannot be do not have them.
FOREIGN = {"ipv4": ("11.77.0.9", "81.77.0.9"), "ipv6": ("2a00:11:77::9", "2600:11:77::9")}

_FIRST_HOST = 30
_MOST_SOURCES = 4


class Place:
    """Where clients of one ``family`` and ``region`` are: at the far end of ``link``.

    They connect to ``destination`` (``raw``), whose network has a prefix of ``bits``. ``sources`` are the addresses to try.
    ``near`` (family, address, prefix length) are hosts and gateways on the network, ``beyond`` (family, address) those behind a
    gateway. ``hardware`` is the gateway's Ethernet address, b"" where unknown.
    """

    def __init__(self, family: str, region: str, link: Link, destination: str, bits: int) -> None:
        self.family = family
        self.number = int(FAMILIES[family])
        self.region = region
        self.link = link
        self.destination = destination
        self.raw = socket.inet_pton(self.number, destination)
        self.bits = bits
        self.sources: list[str] = []
        self.near: list[tuple[int, bytes, int]] = []
        self.beyond: list[tuple[int, bytes]] = []
        self.hardware = b""


def choose_place(
    state: NetworkState, region: str, interface: str, destination: str, prefix_length: int
) -> Place | None:
    """The clients for one question; None where the interface is gone."""
    link = state.link(interface)
    if link is None:
        return None
    family = "ipv6" if ":" in destination else "ipv4"
    raw = socket.inet_pton(FAMILIES[family], destination)
    routes = [Route(body) for body in state.routes]
    on_link = [route for route in routes if route.family == FAMILIES[family] and route.interface == link.index]
    if prefix_length >= len(raw) * 8 - 1:  # an address by DHCPv6 has no prefix: a route has
        widths = [route.bits for route in on_link if not route.gateway and 8 < route.bits < prefix_length
                  and ip_address(raw) in _network(route.network, route.bits)]  # fmt: skip
        prefix_length = max(widths, default=prefix_length)
    place = Place(family, region, link, destination, prefix_length)
    gateways = {
        gateway for route in routes for index, gateway in route.hops if index == link.index and len(gateway) == len(raw)
    }
    known = {address: hardware for index, address, hardware in state.neighbours if index == link.index}
    place.hardware = next((known[each] for each in sorted(gateways) if len(known.get(each, b"")) == 6), b"")
    network = _network(raw, prefix_length)
    # The gateways first: what comes from beyond asks by ARP with the first address of the network.
    place.near = [(place.number, gateway, prefix_length if ip_address(gateway) in network else len(raw) * 8)
                  for gateway in sorted(gateways)]  # fmt: skip
    if region == LAN:
        taken = (
            {ip_address(each) for each in gateways}
            | {ip_address(raw)}
            | {ip_address(each) for each in _own(state, len(raw))}
        )
        place.sources = _hosts(network, taken, _mentioned(state, network))
        if not place.sources and gateways and len(raw) == 4:
            place.sources = [str(ip_address(min(gateways)))]  # a link with the gateway alone
        place.near += [(place.number, socket.inet_pton(place.number, each), prefix_length) for each in place.sources]
    else:
        own = [ip_address(each) for each in _own(state, len(raw))]
        source = next((each for each in FOREIGN[family] if not any(ip_address(each) in _network(one.packed, 16) for one in own)),
                      FOREIGN[family][0])  # fmt: skip
        place.sources = [source]
        packed = socket.inet_pton(place.number, source)
        if gateways:
            place.beyond.append((place.number, packed))
        else:
            place.near.append((place.number, packed, len(packed) * 8))
    return place


def _network(raw: bytes, bits: int) -> IPv4Network | IPv6Network:
    return ip_network((raw or bytes(4), bits), strict=False)


def _own(state: NetworkState, size: int) -> Iterator[bytes]:
    from wirecat.wire.rtnetlink import copy_address, read_address

    for body in state.addresses:
        _, raw = read_address(copy_address(body)[1])
        if len(raw) == size:
            yield raw


def _hosts(
    network: IPv4Network | IPv6Network, taken: set[IPv4Address | IPv6Address], mentioned: list[bytes]
) -> list[str]:
    """An ordinary host of the network, then those that the rules mention: a rule for one of them decides for that one only."""
    if network.num_addresses <= 2:
        candidates = [each for each in network if each not in taken]
        return [str(each) for each in candidates[:1]]
    first = network.network_address + min(_FIRST_HOST, network.num_addresses - 2)
    ordinary = (first + (step % (network.num_addresses - 2)) for step in range(200))
    limits = {network.network_address, network.broadcast_address}
    special = [each for each in map(ip_address, mentioned) if each in network and each not in taken | limits]
    hosts = [each for each in ordinary if each in network and each not in taken | limits | set(special)][:1]
    hosts += special
    return [str(each) for each in hosts[:_MOST_SOURCES]]


def _mentioned(state: NetworkState, network: IPv4Network | IPv6Network) -> list[bytes]:
    """Addresses of the network that stand anywhere in the rules and sets."""
    size = network.max_prefixlen // 8
    start = network.network_address.packed[: network.prefixlen // 8]
    if len(start) < 2:
        return []
    pattern = re.compile(re.escape(start) + b"." * (size - len(start)), re.DOTALL)
    texts = [] if state.rules is None else [body for objects in state.rules.objects.values() for _, body in objects]
    texts += [table.block for table in state.tables] + [body for _, body in state.sets]
    found: dict[bytes, None] = {}
    for text in texts:
        for match in pattern.finditer(text):
            found.setdefault(match.group())
            if len(found) > 64:
                return list(found)
    return list(found)
