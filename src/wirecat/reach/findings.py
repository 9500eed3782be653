"""All that was found out about a port before anything is concluded: the input of the checks and of the verdicts."""

from __future__ import annotations

from wirecat.reach.packet import INTERNET, LAN, Packet
from wirecat.reach.report import UNKNOWN
from wirecat.system.interface_kinds import NETWORK, TUNNEL, read_interface_kinds
from wirecat.system.interfaces import addresses_to_hand_out, is_private_network, is_virtual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.firewall import Firewall, FirewallAnswer
    from wirecat.reach.listening import Listening
    from wirecat.reach.router import RouterView
    from wirecat.system.interface_address import InterfaceAddress
    from wirecat.system.route import Route

FAMILIES = ("ipv4", "ipv6")
REGIONS = (LAN, INTERNET)
_USUAL_PREFIX = {"ipv4": 24, "ipv6": 64}  # where the system does not tell


class Proof:
    """A connection that somebody made on our behalf: from which ``place``, whether it ``arrived``, and in words how."""

    __slots__ = ("arrived", "family", "place", "words")

    def __init__(self, place: str, arrived: bool, words: str, family: str = "ipv4") -> None:
        self.place = place
        self.arrived = arrived
        self.words = words
        self.family = family


class Findings:
    """What is known. ``lan`` has this PC's address on the local network by family; ``firewall`` the answers by
    (region, family); ``exposed`` the public address and port that this PC has a mapping for by family, as its own
    records tell; ``hop`` the second router, where it was asked for.
    """

    __slots__ = (
        "asked",
        "exposed",
        "firewall",
        "hop",
        "interfaces",
        "lan",
        "listening",
        "port",
        "proof",
        "router",
        "routes",
    )

    def __init__(
        self, port: int, interfaces: list[InterfaceAddress], routes: list[Route], listening: Listening
    ) -> None:
        self.port = port
        self.interfaces = interfaces
        self.routes = routes
        self.listening = listening
        self.lan = {family: lan_address(interfaces, routes, family) for family in FAMILIES}
        self.firewall: dict[tuple[str, str], FirewallAnswer] = {}
        self.router: RouterView | None = None
        self.exposed: dict[str, tuple[str, int]] = {}
        self.hop: str | None = None
        self.proof: Proof | None = None
        self.asked: list[str] = []

    def route(self, family: str) -> Route | None:
        """The preferred default route of a family."""
        return next((route for route in self.routes if route.family == family), None)

    @property
    def gateway(self) -> str:
        """The router's IPv4 address, "" where there is none."""
        route = self.route("ipv4")
        return "" if route is None else route.gateway

    def ask_firewall(self, firewall: Firewall) -> None:
        """Let the firewall decide for each place that somebody may come from."""
        served = {family for family in FAMILIES if self.listening.hosts[family] or not self.listening.rows}
        entries = [entry for entry in self.lan.values() if entry is not None and entry.family in served]
        asked = [(region, entry) for entry in entries for region in REGIONS]
        packets = [
            Packet(region, entry.name, entry.host, entry.prefix_length or _USUAL_PREFIX[entry.family], self.port)
            for region, entry in asked
        ]
        for (region, entry), answer in zip(asked, firewall.judge(packets), strict=True):
            self.firewall[(region, entry.family)] = answer.replace(fix=answer.fix.replace("{port}", str(self.port)))
        self.asked += firewall.asked

    def passes(self, region: str, family: str) -> str:
        """What the firewall does with it: ok, blocked or unknown."""
        answer = self.firewall.get((region, family))
        return UNKNOWN if answer is None else answer.state


def lan_address(interfaces: list[InterfaceAddress], routes: list[Route], family: str) -> InterfaceAddress | None:
    """The address that others on the local network use: of the way out if it is among them, else the likeliest.

    An interface is a network where the kernel says so (``system.interface_kinds``), or a default route leads by it that is no
    tunnel. Names count only where the system does not tell the kind.
    """
    kinds = read_interface_kinds()
    ways_out = {route.interface for route in routes if route.family == family}

    def is_network(name: str) -> bool:
        kind = kinds.get(name)
        if kind == TUNNEL or (kind is None and is_private_network(name)):
            return False
        return name in ways_out or (not is_virtual(name) if kind is None else kind == NETWORK)

    real = [entry for entry in interfaces if entry.family == family and is_network(entry.name)]
    ranked = addresses_to_hand_out(real)
    if not ranked:
        return None
    by_host = {entry.host: entry for entry in reversed(real)}
    way_out = next((route.interface for route in routes if route.family == family), "")
    best = next((host for host in ranked if by_host[host].name == way_out), ranked[0])
    return by_host[best]
