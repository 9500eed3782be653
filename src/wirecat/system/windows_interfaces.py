"""Interfaces and addresses on Windows by GetAdaptersAddresses (iphlpapi.h, iptypes.h), through ctypes.

Only the head of Microsoft's structures is declared, as far as it is read. Walking them is a function that
works on any system, so that it can be tested with structures made by hand; only ``read_windows_interfaces``
needs Windows.
"""

from __future__ import annotations

import ctypes
import sys

from wirecat.system.interface_address import InterfaceAddress, format_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_IF_TYPE_SOFTWARE_LOOPBACK = 24
_IF_OPER_STATUS_UP = 1
_SUFFIX_RANDOM = 5  # NL_SUFFIX_ORIGIN IpSuffixOriginRandom: a temporary address
_DAD_DUPLICATE, _DAD_DEPRECATED = 2, 3
_AF_INET, _AF_INET6 = 2, 23  # Windows' numbers

_GAA_FLAGS = 0x2 | 0x4 | 0x8  # skip anycast and multicast addresses and DNS servers
_ERROR_BUFFER_OVERFLOW = 111
_ERROR_NO_DATA = 232

# ctypes.c_ulong has 64 bits on other systems, so the widths are said.
_DWORD = ctypes.c_uint32


class SocketAddress(ctypes.Structure):
    """SOCKET_ADDRESS. A structure of its own, because its size is rounded up to that of a pointer."""

    _fields_ = (("sockaddr", ctypes.c_void_p), ("length", ctypes.c_int32))


class UnicastAddress(ctypes.Structure):
    """IP_ADAPTER_UNICAST_ADDRESS_LH."""


UnicastAddress._fields_ = [
    ("length", _DWORD),
    ("flags", _DWORD),
    ("next", ctypes.POINTER(UnicastAddress)),
    ("address", SocketAddress),
    ("prefix_origin", ctypes.c_int32),
    ("suffix_origin", ctypes.c_int32),
    ("dad_state", ctypes.c_int32),
    ("valid_lifetime", _DWORD),
    ("preferred_lifetime", _DWORD),
    ("lease_lifetime", _DWORD),
    ("prefix_length", ctypes.c_uint8),
]


class AdapterAddresses(ctypes.Structure):
    """IP_ADAPTER_ADDRESSES_LH, up to the number by which IPv6 knows the interface."""


AdapterAddresses._fields_ = [
    ("length", _DWORD),
    ("index", _DWORD),
    ("next", ctypes.POINTER(AdapterAddresses)),
    ("adapter_name", ctypes.c_char_p),
    ("first_unicast", ctypes.POINTER(UnicastAddress)),
    ("first_anycast", ctypes.c_void_p),
    ("first_multicast", ctypes.c_void_p),
    ("first_dns_server", ctypes.c_void_p),
    ("dns_suffix", ctypes.c_wchar_p),
    ("description", ctypes.c_wchar_p),
    ("friendly_name", ctypes.c_wchar_p),
    ("physical_address", ctypes.c_uint8 * 8),
    ("physical_address_length", _DWORD),
    ("flags", _DWORD),
    ("mtu", _DWORD),
    ("type", _DWORD),
    ("status", ctypes.c_int32),
    ("ipv6_index", _DWORD),
]


def read_windows_interfaces() -> list[InterfaceAddress]:
    """This machine's addresses. Raises OSError where the call fails."""
    if sys.platform != "win32":
        raise OSError("only Windows has GetAdaptersAddresses")
    library = ctypes.WinDLL("iphlpapi")
    size = _DWORD(15 * 1024)  # what Microsoft's documentation says to begin with
    for _ in range(5):
        buffer = ctypes.create_string_buffer(size.value)
        code = library.GetAdaptersAddresses(0, _GAA_FLAGS, None, buffer, ctypes.byref(size))
        if code == 0:
            return walk_adapters(ctypes.cast(buffer, ctypes.POINTER(AdapterAddresses)))
        if code == _ERROR_NO_DATA:
            return []
        if code != _ERROR_BUFFER_OVERFLOW:
            raise ctypes.WinError(code)
    raise OSError("the interfaces change faster than they can be read")


def walk_adapters(first: Any) -> list[InterfaceAddress]:
    """Follow the linked lists that start at this POINTER(AdapterAddresses)."""
    found = []
    adapter = first
    while adapter:
        entry = adapter.contents
        unicast = entry.first_unicast
        while unicast:
            address = unicast.contents
            raw = _read_sockaddr(address.address.sockaddr, address.address.length)
            # A duplicate belongs to somebody else, and Windows does not use it.
            if raw is not None and address.dad_state != _DAD_DUPLICATE:
                # Windows writes scopes as numbers: fe80::1%12.
                found.append(
                    InterfaceAddress(
                        entry.friendly_name or "",
                        format_host(raw, str(entry.ipv6_index)),
                        loopback=entry.type == _IF_TYPE_SOFTWARE_LOOPBACK,
                        up=entry.status == _IF_OPER_STATUS_UP,
                        prefix_length=address.prefix_length,
                        temporary=len(raw) == 16 and address.suffix_origin == _SUFFIX_RANDOM,
                        deprecated=address.dad_state == _DAD_DEPRECATED,
                    )
                )
            unicast = address.next
        adapter = entry.next
    return found


def _read_sockaddr(pointer: int | None, length: int) -> bytes | None:
    """The address bytes of a SOCKADDR_IN or SOCKADDR_IN6, None for any other."""
    if not pointer or length < 2:
        return None
    raw = ctypes.string_at(pointer, length)
    family = int.from_bytes(raw[:2], "little")
    if family == _AF_INET and length >= 8:
        return raw[4:8]
    return raw[8:24] if family == _AF_INET6 and length >= 24 else None
