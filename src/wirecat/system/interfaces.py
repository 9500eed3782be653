"""This machine's own addresses, and which of them to hand out to somebody at another PC.

Linux tells them through rtnetlink, macOS and BSD through getifaddrs(3), Windows through GetAdaptersAddresses.
Where none of these answers, looking up the machine's own name gives at least some.
"""

from __future__ import annotations

import socket
import sys

from wirecat.system.interface_address import InterfaceAddress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# Networks inside this machine, for containers and virtual machines: hardly anybody outside can reach these
# addresses. A plain "br0" is no such thing: it is often the way to the real network.
_VIRTUAL_NAMES = (
    "br-",
    "cali",
    "cilium",
    "cni",
    "docker",
    "flannel",
    "incusbr",
    "lxcbr",
    "lxdbr",
    "podman",
    "vboxnet",
    "vethernet",
    "veth",
    "virbr",
    "virtualbox host-only",
    "vmnet",
    "vmware network adapter",
)

_TUNNEL_NAMES = ("ipsec", "nordlynx", "tailscale", "tap", "tun", "utun", "wg", "zt")


def list_interfaces() -> list[InterfaceAddress]:
    """Every address of this machine in the system's order, loopback and idle interfaces too."""
    for source in _sources():
        try:
            return source()
        except (OSError, ValueError, AttributeError, ImportError):
            continue  # refused (containers), or a C library without the function: the next one knows less
    return []


def addresses_to_hand_out(interfaces: Iterable[InterfaceAddress] | None = None) -> list[str]:
    """What to give to somebody at another PC, the likeliest first. Empty on a machine that is in no network.

    Interfaces that are up only; no loopback, no link-local IPv6. Private IPv4 first, then other IPv4, then
    IPv6; addresses that soon change (temporary, deprecated) after these, then self-given IPv4
    (169.254.0.0/16, RFC 3927), and the networks of containers and virtual machines last.
    """
    from wirecat.system.interface_kinds import INSIDE, read_interface_kinds

    chosen = []
    inside = {name: kind == INSIDE for name, kind in read_interface_kinds().items()}
    for entry in list_interfaces() if interfaces is None else interfaces:
        if entry.up and not entry.loopback and entry.scope != "host" and not _is_ipv6_link_local(entry):
            chosen.append((_rank(entry, inside), entry.host))
    chosen.sort(key=lambda pair: pair[0])  # stable: the system's order where the rank is the same
    return list(dict.fromkeys(host for _, host in chosen))


def _is_ipv6_link_local(entry: InterfaceAddress) -> bool:
    return entry.family == "ipv6" and entry.scope == "link"


def _rank(entry: InterfaceAddress, inside: Mapping[str, bool]) -> tuple[bool, int]:
    if entry.family == "ipv4":
        kind = 4 if entry.scope == "link" else 0 if is_private_ipv4(entry.host) else 1
    else:
        kind = 3 if entry.temporary or entry.deprecated else 2
    known = inside.get(entry.name)
    return is_virtual(entry.name) if known is None else known, kind


def is_virtual(name: str) -> bool:
    """Whether an interface of this name is of a network inside this machine: containers, virtual machines."""
    return name.lower().startswith(_VIRTUAL_NAMES)


def is_private_network(name: str) -> bool:
    """Whether an interface of this name leads into a tunnel (VPN) and not to the local network."""
    return name.lower().startswith(_TUNNEL_NAMES)


def is_private_ipv4(host: str) -> bool:
    """Whether it is an address of RFC 1918: 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.

    >>> is_private_ipv4("172.20.1.1"), is_private_ipv4("172.32.1.1")
    (True, False)
    """
    first, second = socket.inet_pton(socket.AF_INET, host)[:2]
    return first == 10 or (first == 172 and second & 0xF0 == 16) or (first == 192 and second == 168)


def _sources() -> list[Callable[[], list[InterfaceAddress]]]:
    """This platform's ways to its addresses, the one that knows most first."""
    if sys.platform == "win32":
        from wirecat.system.windows_interfaces import read_windows_interfaces

        return [read_windows_interfaces, read_own_name]
    from wirecat.system.getifaddrs_interfaces import read_getifaddrs

    if sys.platform.startswith("linux"):
        from wirecat.system.netlink_interfaces import read_netlink_interfaces

        return [read_netlink_interfaces, read_getifaddrs, read_own_name]
    return [read_getifaddrs, read_own_name]


def read_own_name() -> list[InterfaceAddress]:
    """The addresses that the machine's own name has. Raises OSError where it has none."""
    entries = []
    for family, _, _, _, address in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM):
        if family in (socket.AF_INET, socket.AF_INET6):
            entries.append(InterfaceAddress("", str(address[0]), loopback=None, up=True))
    return entries
