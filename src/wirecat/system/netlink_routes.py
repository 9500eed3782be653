"""The default routes on Linux through rtnetlink (rtnetlink(7)), the way ``ip route`` reads them."""

from __future__ import annotations

import socket
import struct

from wirecat.system.interface_address import format_host
from wirecat.system.netlink import dump, message_reader, read_attributes
from wirecat.system.route import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NETLINK_ROUTE = 0
_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26
_RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH, _RTA_TABLE = 4, 5, 6, 9, 15
_RT_TABLE_MAIN = 254
_RTN_UNICAST = 1
_ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg: family, bits, source's bits, tos, table, protocol, scope, type, flags
_NEXT_HOP = struct.Struct("=HBBi")  # rtnexthop: length, flags, hops, interface
_FAMILIES = {socket.AF_INET: "ipv4", 10: "ipv6"}  # AF_INET6 on Linux


def read_netlink_routes() -> list[Route]:
    """The default routes of this network namespace, the preferred first. Raises OSError where netlink is refused."""
    found: list[tuple[int, Route]] = []
    for _ in range(3):
        found.clear()
        if dump(_NETLINK_ROUTE, _RTM_GETROUTE, _ROUTE.pack(*[0] * 9), route_reader(found)):
            break
    return [route for _, route in sorted(found, key=lambda pair: pair[0])]


def route_reader(found: list[tuple[int, Route]]) -> Callable[[bytearray, int], int]:
    """A function that reads one datagram of routes and adds (metric, route) for each default route."""

    def read_route(buffer: bytearray, start: int, end: int) -> None:
        found.extend(_read_route(buffer, start, end))

    return message_reader(_RTM_NEWROUTE, _ROUTE.size, read_route)


def _read_route(buffer: bytearray, start: int, stop: int) -> list[tuple[int, Route]]:
    number, bits, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(buffer, start)
    family = _FAMILIES.get(number)
    attributes = read_attributes(buffer, start + _ROUTE.size, stop)
    table = _number(attributes.get(_RTA_TABLE)) or table
    if family is None or bits or kind != _RTN_UNICAST or table != _RT_TABLE_MAIN:
        return []
    metric = _number(attributes.get(_RTA_PRIORITY))
    hops = [(attributes.get(_RTA_GATEWAY, b""), _number(attributes.get(_RTA_OIF)))]
    several = bytearray(attributes.get(_RTA_MULTIPATH, b""))
    offset = 0
    while offset + _NEXT_HOP.size <= len(several):
        length, _, _, interface = _NEXT_HOP.unpack_from(several, offset)
        if length < _NEXT_HOP.size:
            break
        inner = read_attributes(several, offset + _NEXT_HOP.size, min(offset + length, len(several)))
        hops.append((inner.get(_RTA_GATEWAY, b""), interface))
        offset += (length + 3) & ~3
    routes = []
    for raw, interface in hops:
        if interface and len(raw) in (0, 4, 16):
            name = _name(interface)
            routes.append((metric, Route(family, format_host(raw, name) if raw else "", name)))
    return routes


def _number(raw: bytes | None) -> int:
    return struct.unpack("=I", raw)[0] if raw is not None and len(raw) == 4 else 0


def _name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:
        return str(index)
