"""Interfaces, addresses, routes and rules as rtnetlink messages: what a dump returned, made ready for another network.

See rtnetlink(7), linux/if_link.h, linux/rtnetlink.h and linux/fib_rules.h.
"""

from __future__ import annotations

import socket
import struct

from wirecat.wire.netlink import NESTED, attribute, attributes, fields, native32, string, text, without

NEW_LINK, SET_LINK, GET_LINK = 16, 19, 18
NEW_ADDRESS, GET_ADDRESS = 20, 22
NEW_ROUTE, GET_ROUTE = 24, 26
DELETE_NEIGHBOUR, GET_NEIGHBOUR = 29, 30
NEW_RULE, DELETE_RULE, GET_RULE = 32, 33, 34
GET_FILTER = 46

UP, LOOPBACK, POINT_TO_POINT, RUNNING, NO_ARP = 0x1, 0x8, 0x10, 0x40, 0x80

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_RULE = struct.Struct("=BBBBBBBBI")
_TRAFFIC = struct.Struct("=BxxxiIII")  # tcmsg
_FAR_INDEX = 1 << 20
_CLONED = 0x200
_ON_LINK = 0x4
_NO_DAD, _PERMANENT = 0x02, 0x80
_BRIDGE_FORWARD_DELAY = 1
#: Bridge settings that a packet depends on: whether it comes to the rules of IP (nf_call_*), its Ethernet group mask.
_BRIDGE_SETTINGS = (36, 37, 38)
ETHERNET, _NO_HARDWARE = 1, 0xFFFE


class Link:
    """An interface: ``kind`` is the kernel's ("" for real hardware, bridge, veth, tun …), ``master`` and ``lower`` are indexes
    (0 for none); ``lower_elsewhere`` says that ``lower`` counts in another namespace. ``kind_data`` are the settings of its kind.
    """

    def __init__(self, body: bytes) -> None:
        _, self.hardware, self.index, self.flags, _ = _LINK.unpack_from(body)
        found = fields(body[_LINK.size :])
        information = fields(found.get(18, b""))
        self.name = text(found.get(3, b""))
        self.address = found.get(1, b"")
        self.mtu = native32(found.get(4, b""))
        self.lower = native32(found.get(5, b""))
        self.master = native32(found.get(10, b""))
        # IF_OPER_UP: the kernel sends by it. Some devices tell nothing ("unknown").
        self.is_ready = found.get(16, b"\0")[:1] in (b"\0", b"\x06")
        self.group = native32(found.get(27, b""))
        self.lower_elsewhere = 37 in found
        self.kind = text(information.get(1, b""))
        self.kind_data = fields(information.get(2, b""))
        self.has_xdp = bool(fields(found.get(43, b"")).get(2, b"\0") != b"\0")

    @property
    def is_tunnel(self) -> bool:
        """Whether it leads to one other end and not to a network of hosts."""
        return self.kind == "tun" or bool(self.flags & POINT_TO_POINT) or self.hardware == _NO_HARDWARE


def link_request() -> bytes:
    """The body of a dump of the interfaces."""
    return _LINK.pack(0, 0, 0, 0, 0)


def make_pair(link: Link, other_network: int) -> bytes:
    """A pair of veth: one end here as ``link`` is, the other of the same name in another network (a descriptor)."""
    # With another index than this end's: the kernel delays news of a link whose other end has the same number.
    peer = (
        _LINK.pack(0, 0, _FAR_INDEX + link.index, 0, 0)
        + attribute(3, string(link.name))
        + attribute(28, struct.pack("=I", other_network))
    )
    peer += attribute(4, struct.pack("=I", min(max(link.mtu, 1280), 65535)))
    data = attribute(1 | NESTED, peer)
    return _new_link(link, "veth", data)


def make_bridge(link: Link) -> bytes:
    """A bridge as ``link`` is; its ports pass packets at once."""
    data = attribute(_BRIDGE_FORWARD_DELAY, struct.pack("=I", 0))
    data += b"".join(attribute(kind, link.kind_data[kind]) for kind in _BRIDGE_SETTINGS if kind in link.kind_data)
    return _new_link(link, "bridge", data)


def make_vrf(link: Link) -> bytes:
    """A VRF as ``link`` is."""
    return _new_link(link, "vrf", b"".join(attribute(*each) for each in link.kind_data.items()))


def _new_link(link: Link, kind: str, data: bytes) -> bytes:
    parts = [_LINK.pack(0, 0, link.index, 0, 0), attribute(3, string(link.name)),
             attribute(4, struct.pack("=I", min(max(link.mtu, 1280), 65535)))]  # fmt: skip
    if len(link.address) == 6 and link.hardware == ETHERNET:
        parts.append(attribute(1, link.address))
    if link.group:
        parts.append(attribute(27, struct.pack("=I", link.group)))
    parts.append(attribute(18 | NESTED, attribute(1, string(kind)) + attribute(2 | NESTED, data)))
    return b"".join(parts)


def set_link(index: int, *, up: bool = False, arp: bool = True, master: int = 0, network: int = -1, name: str = "",
             address: bytes = b"") -> bytes:  # fmt: skip
    """Change an interface: switch it on, without ARP, make it a port of a bridge, move it to another network."""
    body = _LINK.pack(
        0, 0, index, (UP if up else 0) | (0 if arp else NO_ARP), (UP if up else 0) | (0 if arp else NO_ARP)
    )
    if address:
        body += attribute(1, address)
    if master:
        body += attribute(10, struct.pack("=I", master))
    if network >= 0:
        body += attribute(28, struct.pack("=I", network))
    return body + attribute(3, string(name)) if name else body


def address_request() -> bytes:
    """The body of a dump of the addresses."""
    return _ADDRESS.pack(0, 0, 0, 0, 0)


def copy_address(body: bytes) -> tuple[int, bytes]:
    """The interface of a dumped address, and the message that adds it, without a test for duplicates."""
    family, bits, _, scope, index = _ADDRESS.unpack_from(body)
    parts = []
    flags = _NO_DAD
    for kind, value in attributes(body[_ADDRESS.size :]):
        if kind == 8:
            # Neither tentative nor failed, and no deadline: those come from the machine's own timers.
            flags |= native32(value) & ~(0x40 | 0x08 | _PERMANENT)
        elif kind in (1, 2, 4, 5, 9):  # address, local, broadcast, any cast, route priority
            parts.append(attribute(kind, value))
    parts.append(attribute(8, struct.pack("=I", flags)))
    return index, _ADDRESS.pack(family, bits, 0, scope, index) + b"".join(parts)


def read_address(body: bytes) -> tuple[int, bytes]:
    """The family and the address itself; on a link with one other end that is the local one."""
    found = fields(body[_ADDRESS.size :])
    return body[0], found.get(2) or found.get(1, b"")


def is_link_local(raw: bytes) -> bool:
    """Whether it is an IPv6 address of fe80::/10."""
    return len(raw) == 16 and raw[0] == 0xFE and raw[1] & 0xC0 == 0x80


def make_address(family: int, raw: bytes, bits: int, index: int) -> bytes:
    """The message that adds an address, without a test for duplicates."""
    scope = 253 if is_link_local(raw) else 0
    body = _ADDRESS.pack(family, bits, 0, scope, index) + attribute(2, raw) + attribute(1, raw)
    return body + attribute(8, struct.pack("=I", _NO_DAD))


def route_request(family: int) -> bytes:
    """The body of a dump of the routes of all tables."""
    return _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)


def route_question(family: int, destination: str, source: str) -> bytes:
    """The body of a request for the route that a packet takes."""
    to, of = socket.inet_pton(family, destination), socket.inet_pton(family, source)
    return _ROUTE.pack(family, len(to) * 8, len(of) * 8, 0, 0, 0, 0, 0, 0) + attribute(1, to) + attribute(2, of)


def copy_route(body: bytes) -> bytes | None:
    """The message that adds a dumped route; None for one that the kernel makes itself."""
    family, bits, source_bits, tos, table, protocol, scope, kind, flags = _ROUTE.unpack_from(body)
    if flags & _CLONED or family not in (2, 10):
        return None
    parts = []
    for number, value in attributes(body[_ROUTE.size :]):
        if number & ~NESTED == 9:  # several next hops, each with flags of its own
            value = _without_states(value)
        if number & ~NESTED not in (12, 23, 24, 30):  # cache information, expiry, padding, a next hop object
            parts.append(attribute(number, value))
    head = _ROUTE.pack(family, bits, source_bits, tos, table, protocol, scope, kind, flags & _ON_LINK)
    return head + b"".join(parts)


def make_route(family: int, raw: bytes, bits: int, index: int) -> bytes:
    """The message that adds a route to what is on the link of an interface."""
    head = _ROUTE.pack(family, bits, 0, 0, 254, 4, 253 if family == 2 else 0, 1, 0)  # main, static, link, unicast
    return head + (attribute(1, raw) if bits else b"") + attribute(4, struct.pack("=I", index))


def _without_states(hops: bytes) -> bytes:
    """Next hops (struct rtnexthop) without dead and linkdown."""
    found, start = [], 0
    while start + 8 <= len(hops):
        length, flags = struct.unpack_from("=HB", hops, start)
        if length < 8:
            break
        one = bytearray(hops[start : start + ((length + 3) & ~3)])
        one[2] = flags & _ON_LINK
        found.append(bytes(one))
        start += (length + 3) & ~3
    return b"".join(found)


class Route:
    """A route that is looked at: where it leads (``network`` raw, ``bits``), by which interface and which gateway."""

    def __init__(self, body: bytes) -> None:
        self.family, self.bits, _, _, table, _, _, self.kind, _ = _ROUTE.unpack_from(body)
        found = fields(body[_ROUTE.size :])
        self.network = found.get(1, b"")
        self.interface = native32(found.get(4, b""))
        self.gateway = found.get(5, b"") or found.get(18, b"\0\0")[2:]  # RTA_VIA: a gateway of the other family
        self.table = native32(found.get(15, b"")) or table
        several = found.get(9, b"")
        start = 0
        self.hops = [(self.interface, self.gateway)] if self.interface else []
        while start + 8 <= len(several):
            length, _, _, interface = struct.unpack_from("=HBBi", several, start)
            if length < 8:
                break
            inner = fields(several[start + 8 : start + length])
            self.hops.append((interface, inner.get(5, b"") or inner.get(18, b"\0\0")[2:]))
            start += (length + 3) & ~3


def rule_request(family: int) -> bytes:
    """The body of a dump of the policy rules."""
    return _RULE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)


def copy_rule(body: bytes) -> bytes:
    """The message that adds a dumped policy rule (or, with DELETE_RULE, removes it)."""
    head = list(_RULE.unpack_from(body))
    head[8] &= 0x2 | 0x10000  # inverted, find the source; the kernel finds out the others itself
    return _RULE.pack(*head) + without(body[_RULE.size :], frozenset((18,)))  # padding


def neighbour_request() -> bytes:
    """The body of a dump of the neighbours."""
    return struct.pack("=BxxxiHBB", 0, 0, 0, 0, 0)


def read_neighbour(body: bytes) -> tuple[int, bytes, bytes]:
    """A neighbour's interface, its address and its hardware address (b"" where unknown)."""
    (index,) = struct.unpack_from("=i", body, 4)
    found = fields(body[12:])
    return index, found.get(1, b""), found.get(2, b"")


def copy_neighbour(body: bytes) -> bytes:
    """The message that removes a dumped neighbour."""
    return body[:12] + attribute(1, fields(body[12:]).get(1, b""))


def filter_request(index: int, parent: int) -> bytes:
    """The body of a dump of the traffic filters of an interface."""
    return _TRAFFIC.pack(0, index, 0, parent, 0)


INGRESS, EGRESS = 0xFFFFFFF2, 0xFFFFFFF3
"""Parents of traffic filters: what comes in (that of an ingress queue is the same), what goes out (clsact)."""
