"""Interfaces and addresses on Linux through rtnetlink (rtnetlink(7)), the way ``ip address`` reads them."""

from __future__ import annotations

import errno
import struct

from wirecat.system.interface_address import InterfaceAddress, format_host
from wirecat.system.netlink import dump, message_reader, read_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NETLINK_ROUTE = 0
_RTM_NEWLINK, _RTM_GETLINK, _RTM_NEWADDR, _RTM_GETADDR = 16, 18, 20, 22

_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, hardware type, index, flags, change mask
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index

_IFLA_IFNAME = 3
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40
_IFA_F_TEMPORARY, _IFA_F_DADFAILED, _IFA_F_DEPRECATED = 0x01, 0x08, 0x20
# 200 is site-local, long out of use (RFC 3879).
_SCOPES = {0: "global", 200: "global", 253: "link", 254: "host"}
_ADDRESS_SIZES = {2: 4, 10: 16}  # AF_INET and AF_INET6 on Linux


def read_netlink_interfaces() -> list[InterfaceAddress]:
    """This network namespace's addresses. Raises OSError where netlink is refused."""
    links: dict[int, tuple[str, int]] = {}
    addresses: list[InterfaceAddress] = []
    for _ in range(3):
        links.clear()
        addresses.clear()
        # The families: any.
        complete = dump(_NETLINK_ROUTE, _RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0), link_reader(links))
        request = _ADDRESS.pack(0, 0, 0, 0, 0)
        if dump(_NETLINK_ROUTE, _RTM_GETADDR, request, address_reader(links, addresses)) and complete:
            return addresses
    raise OSError(errno.EINTR, "the interfaces change faster than they can be read")


def link_reader(links: dict[int, tuple[str, int]]) -> Callable[[bytearray, int], int]:
    """A function that reads one datagram of interfaces into ``links``: index → (name, flags)."""

    def read_link(buffer: bytearray, start: int, end: int) -> None:
        _, _, index, flags, _ = _LINK.unpack_from(buffer, start)
        name = read_attributes(buffer, start + _LINK.size, end).get(_IFLA_IFNAME, b"")
        links[index] = (name.rstrip(b"\0").decode("utf-8", "backslashreplace"), flags)

    return message_reader(_RTM_NEWLINK, _LINK.size, read_link)


def address_reader(
    links: dict[int, tuple[str, int]], addresses: list[InterfaceAddress]
) -> Callable[[bytearray, int], int]:
    """A function that reads one datagram of addresses, with what ``links`` knows of their interfaces."""

    def read_address(buffer: bytearray, start: int, end: int) -> None:
        family, prefix_length, short_flags, scope, index = _ADDRESS.unpack_from(buffer, start)
        attributes = read_attributes(buffer, start + _ADDRESS.size, end)
        # On a point-to-point link IFA_ADDRESS is the peer's address and IFA_LOCAL ours; elsewhere IPv6 has no
        # IFA_LOCAL.
        raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS, b"")
        if len(raw) != _ADDRESS_SIZES.get(family):
            return
        flags = short_flags
        long_flags = attributes.get(_IFA_FLAGS, b"")
        if len(long_flags) == 4:  # the byte in the header has room for the first eight only
            (flags,) = struct.unpack("=I", long_flags)
        if flags & _IFA_F_DADFAILED:
            return  # somebody else has this address: the kernel does not use it
        name, link_flags = links.get(index, (str(index), 0))
        ipv6 = family == 10
        addresses.append(
            InterfaceAddress(
                name,
                format_host(raw, name),
                loopback=bool(link_flags & _IFF_LOOPBACK),
                up=bool(link_flags & _IFF_UP and link_flags & _IFF_RUNNING),
                prefix_length=prefix_length,
                scope=_scope(raw, scope),
                temporary=ipv6 and bool(flags & _IFA_F_TEMPORARY),  # for IPv4 the bit means "secondary"
                deprecated=bool(flags & _IFA_F_DEPRECATED),
            )
        )

    return message_reader(_RTM_NEWADDR, _ADDRESS.size, read_address)


def _scope(raw: bytes, number: int) -> str | None:
    # 169.254.0.0/16 is link-local by RFC 3927, whatever scope the administrator gave it.
    return "link" if raw[:2] == b"\xa9\xfe" and len(raw) == 4 else _SCOPES.get(number)
