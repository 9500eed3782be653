"""All of this machine's network that decides about a connection from outside, read as root: what a twin network is made of."""

from __future__ import annotations

import errno

from wirecat.system.kernel_modules import is_loaded
from wirecat.system.netlink_listeners import Listener, read_listeners
from wirecat.system.netlink_socket import NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket
from wirecat.system.network_settings import read_settings
from wirecat.system.xtables import TableSocket, list_tables
from wirecat.wire import ipset, nf_tables, rtnetlink, xtables
from wirecat.wire.netlink import attribute, fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.wire.nf_tables import Ruleset
    from wirecat.wire.rtnetlink import Link

FAMILY_NUMBERS = {"ipv4": 2, "ipv6": 10}
_GET_GENERATION = 16
_ATTEMPTS = 5
_VIRTUAL_PORTS = ("veth", "tun")


class NetworkState:
    """What was read. ``rules`` are those of nf_tables (None where the kernel has none loaded), ``tables`` those of
    iptables-legacy, ``sets`` the messages that make the ipsets; ``policies`` are the rules of ``ip rule``.
    """

    def __init__(self, port: int) -> None:
        """Read it in the calling thread's network; ``port`` is that of the listeners.

        Raises PermissionError without root, other OSError or ValueError where the kernel refuses to print something.
        """
        self.rules = _read_rules()
        self.tables = [table for kind in (xtables.IP, xtables.IP6, xtables.ARP) for table in _read_tables(kind)]
        self.sets = _read_sets()
        with NetlinkSocket(NETLINK_ROUTE) as kernel:
            self.links: dict[int, Link] = {}
            for body in kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request()):
                link = rtnetlink.Link(body)
                self.links[link.index] = link
            self.addresses = kernel.dump(rtnetlink.GET_ADDRESS, rtnetlink.address_request())
            self.routes: list[bytes] = []
            self.policies: dict[int, list[bytes]] = {}
            for family in FAMILY_NUMBERS.values():
                try:
                    self.routes += kernel.dump(rtnetlink.GET_ROUTE, rtnetlink.route_request(family))
                    self.policies[family] = kernel.dump(rtnetlink.GET_RULE, rtnetlink.rule_request(family))
                except OSError:
                    continue  # a kernel without this family
            neighbours = kernel.dump(rtnetlink.GET_NEIGHBOUR, rtnetlink.neighbour_request())
            self.neighbours = [rtnetlink.read_neighbour(body) for body in neighbours]
        self.settings = read_settings(link.name for link in self.links.values())
        self.listeners: list[Listener] = read_listeners(port)

    def link(self, name: str) -> Link | None:
        """An interface by its name."""
        return next((link for link in self.links.values() if link.name == name), None)

    def is_inside(self, name: str) -> bool:
        """Whether an interface is a port that a container or a virtual machine has on a bridge with a way out of this machine."""
        link = self.link(name)
        master = None if link is None else self.links.get(link.master)
        if link is None or master is None or link.kind not in _VIRTUAL_PORTS:
            return False
        return any(each.kind not in _VIRTUAL_PORTS for each in self.ports(master))

    def ports(self, master: Link) -> list[Link]:
        """The interfaces that belong to a bridge, a bond or a VRF."""
        return [link for link in self.links.values() if link.master == master.index]


def _read_rules() -> Ruleset | None:
    if not is_loaded("nf_tables", "nf_tables_newtable"):
        return None
    with NetlinkSocket(NETLINK_NETFILTER) as kernel:
        try:
            before = _generation(kernel)
        except PermissionError:
            raise
        except OSError:
            return None  # a kernel without nf_tables
        for _ in range(_ATTEMPTS):
            found = dump_rules(kernel)
            after = _generation(kernel)
            if after == before:
                return found
            before = after
    raise OSError(errno.EINTR, "the rules change faster than they can be read")


def _generation(kernel: NetlinkSocket) -> bytes:
    """The number that the kernel counts with each change of the rules (NFTA_GEN_ID)."""
    kind = nf_tables.SUBSYSTEM << 8 | _GET_GENERATION
    return fields(kernel.request(kind, nf_tables.generic_header(0))[4:]).get(1, b"")


def dump_rules(kernel: NetlinkSocket, kinds: Iterable[int] = nf_tables.GET) -> Ruleset:
    """All of nf_tables in the network that the socket is in, or some kinds of its objects. Raises OSError."""
    objects: dict[int, list[tuple[int, bytes]]] = {}
    for kind in kinds:
        message = nf_tables.GET[kind]
        requests = [(0, b"")]
        if kind == nf_tables.ELEMENTS:  # those of one set at a time
            requests = []
            for family, body in objects[nf_tables.SET]:
                named = fields(body)
                requests.append((family, attribute(1, named[1]) + attribute(2, named[2])))
        objects[kind] = []
        for family, which in requests:
            try:
                bodies = kernel.dump(nf_tables.SUBSYSTEM << 8 | message, nf_tables.generic_header(family) + which)
            except OSError as error:
                if error.errno != errno.ENOENT:  # deleted meanwhile: the generation has changed
                    raise
                bodies = []
            objects[kind] += [(body[0], body[4:]) for body in bodies]
    return nf_tables.Ruleset(objects)


def _read_tables(kind: xtables.Kind) -> list[xtables.Table]:
    names = list_tables(kind.name)
    if not names:
        return []
    with TableSocket(kind.name) as kernel:
        return [read_table(kernel, kind, name) for name in names]


def read_table(kernel: TableSocket, kind: xtables.Kind, name: str) -> xtables.Table:
    """One table of iptables-legacy. Raises OSError."""
    for _ in range(_ATTEMPTS):
        numbers = xtables.read_info(kind, kernel.get_info(xtables.info_request(kind, name)))
        try:
            answer = kernel.get_entries(xtables.entries_request(name, numbers[-1]))
        except OSError as error:
            if error.errno == errno.EAGAIN:
                continue
            raise
        return xtables.Table(kind, name, numbers, xtables.read_entries(answer))
    raise OSError(errno.EAGAIN, f"table {name} changes faster than it can be read")


def replace_table(kernel: TableSocket, table: xtables.Table) -> None:
    """Load a table of iptables-legacy in place of what is there. Raises OSError."""
    import ctypes

    numbers = xtables.read_info(table.kind, kernel.get_info(xtables.info_request(table.kind, table.name)))
    counters = ctypes.create_string_buffer(16 * max(numbers[-2], 1))
    kernel.replace(xtables.replace_request(table, numbers[-2], ctypes.addressof(counters)))


def _read_sets() -> list[tuple[int, bytes]]:
    if not is_loaded("ip_set", "ip_set_type_register"):
        return []
    with NetlinkSocket(NETLINK_NETFILTER) as kernel:
        try:
            return ipset.copy_messages(kernel.dump(ipset.SUBSYSTEM << 8 | ipset.LIST, ipset.list_request()))
        except PermissionError:
            raise
        except OSError:
            return []  # a kernel without ipset
