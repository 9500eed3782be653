"""A twin of this machine's network in a network namespace: the same interfaces, addresses, routes, settings and rules.

The interfaces are ends of veth pairs; their far ends lie in a second, empty namespace. The far end of the interface that is to
be tried is moved into a third, the clients' network, which answers for the gateways and has the addresses of clients. None of
the namespaces has a name, so the kernel removes them with the process that made them. What is written here (settings, rules) is
written inside the twin.
"""

from __future__ import annotations

import errno
import os
import select
import time

from wirecat.system.kernel_modules import is_loaded
from wirecat.system.namespaces import enter_network, make_network
from wirecat.system.netlink_socket import (
    NETLINK_ROUTE,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    NetlinkSocket,
)
from wirecat.system.network_settings import write_settings
from wirecat.system.twin_rules import TwinRules
from wirecat.wire import rtnetlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.system.network_state import NetworkState
    from wirecat.wire.rtnetlink import Link

_NEW = NLM_F_CREATE | NLM_F_EXCL
_SILENT = {f"ipv6/conf/{which}/disable_ipv6": b"1" for which in ("all", "default")}
# No waiting for duplicate addresses, no addresses but the machine's.
_PLAIN_IPV6 = {
    f"ipv6/conf/{which}/{setting}": value
    for which in ("all", "default")
    for setting, value in (("accept_dad", b"0"), ("accept_ra", b"0"), ("router_solicitations", b"0"))
}
_NO_OWN_ADDRESSES = {"ipv6/conf/default/addr_gen_mode": b"1"}
_CLIENTS = {
    "ipv4/conf/all/rp_filter": b"0",
    "ipv4/conf/default/rp_filter": b"0",
    "ipv4/conf/all/arp_announce": b"1",  # a foreign address asks for no neighbour: its gateway does
}
_READY = 1.0  # seconds; longer than the kernel takes, which may put the news of a link off for one
_LINK_NEWS = 1  # RTNLGRP_LINK
_PORT_NAME = "wirecat-port"


class TwinNetwork:
    """The twin, built by the constructor in new namespaces; the calling thread is left inside the twin.

    ``problems`` are the parts of the network that could not be copied, in words, ``missing_routes`` the routes among
    them; ``rules`` are the rules in it.
    ``tried`` are the interfaces that clients will be put at. Raises OSError where namespaces or interfaces are refused.
    """

    def __init__(self, state: NetworkState, tried: Iterable[Link]) -> None:
        self.state = state
        self.problems: list[str] = []
        self.missing_routes: list[rtnetlink.Route] = []
        if not is_loaded("veth", "veth_newlink"):
            raise OSError(errno.ENODEV, "the kernel module veth is not loaded (to load it: modprobe veth)")
        self._empty = make_network()
        write_settings(_SILENT)
        self._far = NetlinkSocket(NETLINK_ROUTE)
        self.network = make_network()
        self._near = NetlinkSocket(NETLINK_ROUTE)
        write_settings({**_PLAIN_IPV6, **_NO_OWN_ADDRESSES, "ipv4/ip_unprivileged_port_start": b"0"})
        self._links = {index: link for index, link in state.links.items() if not state.is_inside(link.name)}
        self._ports = {link.index: self._port(link) for link in tried}
        self._make_links()
        names = {link.name for link in self._links.values()} | {"all", "default"}
        wanted = {name: value for name, value in state.settings.items()
                  if "/conf/" not in name or name.split("/")[2] in names}  # fmt: skip
        self.problems += [f"the setting net/{name}" for name in write_settings(wanted)]
        self._copy_addresses()
        self._copy_policies()
        self._copy_routes()
        self.rules = TwinRules(state)
        self.rules.load()

    def _make_links(self) -> None:
        self._near.request(rtnetlink.SET_LINK, rtnetlink.set_link(1, up=True))
        for link in self._links.values():
            if link.flags & rtnetlink.LOOPBACK:
                continue
            if link.kind == "bridge":
                body = rtnetlink.make_bridge(link)
            elif link.kind == "vrf":
                body = rtnetlink.make_vrf(link)
            else:
                body = rtnetlink.make_pair(link, self._empty)
            self._near.request(rtnetlink.NEW_LINK, body, _NEW)
        far = self._far_ends()
        for link in self._links.values():
            if link.flags & rtnetlink.RUNNING and link.name in far:
                self._far.request(rtnetlink.SET_LINK, rtnetlink.set_link(far[link.name], up=True))
        # Bridges come last: one that has no port with a link yet would be told of it late.
        for index, link in sorted(self._links.items(), key=lambda pair: pair[1].kind == "bridge"):
            master = self._links.get(link.master)
            if master is not None and master.kind in ("bridge", "vrf"):
                self._near.request(rtnetlink.SET_LINK, rtnetlink.set_link(index, master=link.master))
            # Where no neighbour answers, none is asked for: packets leave at once. IPv6 joins no groups on such a link.
            asks = link.name not in far or link.name in self._ports.values()
            if link.flags & rtnetlink.UP and not link.flags & rtnetlink.LOOPBACK:
                self._near.request(rtnetlink.SET_LINK, rtnetlink.set_link(index, up=True, arp=asks))

    def _far_ends(self) -> dict[str, int]:
        bodies = self._far.dump(rtnetlink.GET_LINK, rtnetlink.link_request())
        return {link.name: link.index for link in map(rtnetlink.Link, bodies) if not link.flags & rtnetlink.LOOPBACK}

    def _copy_addresses(self) -> None:
        for body in self.state.addresses:
            index, message = rtnetlink.copy_address(body)
            if index in self._links:
                try:
                    self._near.request(rtnetlink.NEW_ADDRESS, message, NLM_F_CREATE | NLM_F_REPLACE)
                except OSError as error:
                    self.problems.append(f"an address of {self._links[index].name} ({error.strerror})")

    def _copy_policies(self) -> None:
        for family, rules in self.state.policies.items():
            there = self._near.dump(rtnetlink.GET_RULE, rtnetlink.rule_request(family))
            if there == rules:
                continue
            for body in there:
                try:
                    self._near.request(rtnetlink.DELETE_RULE, rtnetlink.copy_rule(body))
                except OSError:
                    continue  # the kernel keeps its first rule, that of the local table, in some versions
            for body in rules:
                try:
                    self._near.request(rtnetlink.NEW_RULE, rtnetlink.copy_rule(body), _NEW)
                except OSError as error:
                    if error.errno != errno.EEXIST:
                        self.problems.append(f"a rule of `ip rule` ({error.strerror})")

    def _copy_routes(self) -> None:
        left = [message for body in self.state.routes if (message := rtnetlink.copy_route(body)) is not None
                and all(index in self._links for index, _ in rtnetlink.Route(message).hops)]  # fmt: skip
        while left:
            failed = []
            for message in left:
                try:
                    self._near.request(rtnetlink.NEW_ROUTE, message, NLM_F_CREATE)
                except OSError as error:
                    if error.errno != errno.EEXIST:
                        failed.append((message, error))
            if len(failed) == len(left):
                self.missing_routes = [rtnetlink.Route(message) for message, _ in failed]
                return
            left = [message for message, _ in failed]  # a gateway may need a route that came later

    def attach_clients(self, link: Link, hardware: bytes, near: Iterable[tuple[int, bytes, int]],
                       beyond: Iterable[tuple[int, bytes]]) -> int:  # fmt: skip
        """Put clients at the far end of an interface; the descriptor of their network.

        ``hardware`` is the Ethernet address that they send from (b"" for any), ``near`` (family, address, prefix length)
        are those of hosts and gateways on the network, ``beyond`` (family, address) those behind a gateway. The calling
        thread is in the twin before and after. Raises OSError.
        """
        port = self._ports[link.index]
        clients = make_network()
        try:
            write_settings({**_PLAIN_IPV6, **_CLIENTS})
            with NetlinkSocket(NETLINK_ROUTE) as kernel:
                far = self._far_ends()
                self._far.request(rtnetlink.SET_LINK, rtnetlink.set_link(far[port], network=clients))
                bodies = kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request())
                index = next(each.index for each in map(rtnetlink.Link, bodies) if each.name == port)
                kernel.request(rtnetlink.SET_LINK, rtnetlink.set_link(1, up=True))
                kernel.request(rtnetlink.SET_LINK, rtnetlink.set_link(index, address=hardware))
                kernel.request(rtnetlink.SET_LINK, rtnetlink.set_link(index, up=True))
                for family, raw, bits in near:
                    kernel.request(
                        rtnetlink.NEW_ADDRESS, rtnetlink.make_address(family, raw, bits, index), NLM_F_CREATE
                    )
                for family, raw in beyond:
                    # On the loopback device: who asks for the neighbour is the gateway, not the foreign host.
                    kernel.request(
                        rtnetlink.NEW_ADDRESS, rtnetlink.make_address(family, raw, len(raw) * 8, 1), NLM_F_CREATE
                    )
                for family, raw in self.own_addresses(link):
                    route = rtnetlink.make_route(family, raw, len(raw) * 8, index)
                    kernel.request(rtnetlink.NEW_ROUTE, route, NLM_F_CREATE | NLM_F_REPLACE)
                self._wait_until_ready(kernel, {index})
        finally:
            enter_network(self.network)
        ends = {link.index, *(each.index for each in self._links.values() if each.name == port)}
        self._wait_until_ready(self._near, ends)
        return clients

    def _wait_until_ready(self, kernel: NetlinkSocket, indexes: set[int]) -> None:
        """Wait until the kernel has noticed that interfaces have a link: what is sent before is lost.

        ``kernel`` is a socket in the calling thread's network.
        """
        deadline = time.monotonic() + _READY
        with NetlinkSocket(NETLINK_ROUTE, groups=(_LINK_NEWS,)) as news:
            while time.monotonic() < deadline:
                bodies = kernel.dump(rtnetlink.GET_LINK, rtnetlink.link_request())
                if all(link.is_ready for link in map(rtnetlink.Link, bodies) if link.index in indexes):
                    return
                select.select([news], [], [], max(deadline - time.monotonic(), 0))
                news.notifications()

    def forget_neighbours(self, clients: int) -> None:
        """Let the twin and the clients ask for each other again: a question without an answer is not repeated for a second."""
        for network in (clients, self.network):
            enter_network(network)
            with NetlinkSocket(NETLINK_ROUTE) as kernel:
                for body in kernel.dump(rtnetlink.GET_NEIGHBOUR, rtnetlink.neighbour_request()):
                    try:
                        kernel.request(rtnetlink.DELETE_NEIGHBOUR, rtnetlink.copy_neighbour(body))
                    except OSError:
                        continue  # gone by itself

    def find_way(self, family: int, destination: str, source: str) -> int:
        """The index of the interface by which the twin sends from an address of its own to another host, 0 for none.

        It is what ``ip route get`` prints, for a packet without a mark.
        """
        try:
            body = self._near.request(rtnetlink.GET_ROUTE, rtnetlink.route_question(family, destination, source))
        except OSError:
            return 0
        return rtnetlink.Route(body).interface

    def own_addresses(self, link: Link) -> list[tuple[int, bytes]]:
        """The addresses (family, raw) of an interface, link-local ones excepted."""
        found = []
        for body in self.state.addresses:
            index, message = rtnetlink.copy_address(body)
            if index == link.index:
                family, raw = rtnetlink.read_address(message)
                if not rtnetlink.is_link_local(raw):
                    found.append((family, raw))
        return found

    def _port(self, link: Link) -> str:
        """The interface that packets for ``link`` come in by: itself, or a port of a bridge."""
        if link.kind != "bridge":
            return link.name
        ports = [
            each for each in self.state.ports(link) if each.index in self._links and each.flags & rtnetlink.RUNNING
        ]
        if ports:
            return min(ports, key=lambda each: (each.kind in ("veth", "tun"), each.index)).name
        made = rtnetlink.Link(rtnetlink.set_link(max(self._links) + 1, up=True, master=link.index, name=_PORT_NAME))
        self._links[made.index] = made
        return made.name

    def close(self) -> None:
        """Let go of the namespaces."""
        self._near.close()
        self._far.close()
        os.close(self._empty)
        os.close(self.network)
