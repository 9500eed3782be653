"""Interfaces and addresses by getifaddrs(3): macOS, the BSDs, and Linux where rtnetlink is refused."""

from __future__ import annotations

import ctypes
import os
import socket
import sys

from wirecat.system.interface_address import InterfaceAddress, format_host

_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40  # the same numbers on Linux, macOS and the BSDs

# A BSD sockaddr starts with its length and an 8-bit family, Linux's with a 16-bit family.
_HAS_LENGTH = not sys.platform.startswith(("linux", "android", "sunos", "cygwin"))
_SIZES = {socket.AF_INET: 16, socket.AF_INET6: 28}


class _Ifaddrs(ctypes.Structure):
    """struct ifaddrs; what follows the addresses differs and is not used."""


_Ifaddrs._fields_ = [
    ("next", ctypes.POINTER(_Ifaddrs)),
    ("name", ctypes.c_char_p),
    ("flags", ctypes.c_uint),
    ("address", ctypes.c_void_p),
    ("netmask", ctypes.c_void_p),
    ("broadcast", ctypes.c_void_p),
    ("data", ctypes.c_void_p),
]


def read_getifaddrs() -> list[InterfaceAddress]:
    """This machine's addresses; whether one is temporary or deprecated is not told here.

    Raises OSError where the call fails, AttributeError where the C library has no such call.
    """
    library = ctypes.CDLL(None, use_errno=True)
    first = ctypes.POINTER(_Ifaddrs)()
    library.getifaddrs.argtypes = (ctypes.POINTER(ctypes.POINTER(_Ifaddrs)),)
    library.freeifaddrs.argtypes = (ctypes.POINTER(_Ifaddrs),)
    library.freeifaddrs.restype = None
    if library.getifaddrs(ctypes.byref(first)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    found = []
    try:
        node = first
        while node:
            entry = node.contents
            address = _read(entry.address)
            if address is not None:
                name = (entry.name or b"").decode("utf-8", "backslashreplace")
                found.append(
                    InterfaceAddress(
                        name,
                        format_host(address, name),
                        loopback=bool(entry.flags & _IFF_LOOPBACK),
                        up=bool(entry.flags & _IFF_UP and entry.flags & _IFF_RUNNING),
                        prefix_length=_prefix_length(_read(entry.netmask, like=address)),
                    )
                )
            node = entry.next
    finally:
        library.freeifaddrs(first)
    return found


def _read(pointer: int | None, *, like: bytes | None = None) -> bytes | None:
    """The address bytes of the sockaddr at this place in memory; None where it holds no IP address.

    ``like`` is the address that a netmask belongs to: BSD leaves the mask's family 0 and its trailing zeros
    out.
    """
    if not pointer:
        return None
    head = ctypes.string_at(pointer, 2)
    if like is not None:
        family = socket.AF_INET if len(like) == 4 else socket.AF_INET6
    elif _HAS_LENGTH:
        family = socket.AddressFamily(head[1]) if head[1] in _SIZES else socket.AF_UNSPEC
    else:
        number = int.from_bytes(head, sys.byteorder)
        family = socket.AddressFamily(number) if number in _SIZES else socket.AF_UNSPEC
    if family not in _SIZES:
        return None
    size = head[0] if _HAS_LENGTH else _SIZES[family]
    return read_sockaddr(ctypes.string_at(pointer, min(size, _SIZES[family])), family)


def read_sockaddr(raw: bytes, family: int) -> bytes:
    """The address in a sockaddr_in or sockaddr_in6; what was left out at its end is zeros.

    >>> read_sockaddr(bytes([16, 2, 0, 80, 127, 0, 0, 1]) + bytes(8), socket.AF_INET)
    b'\\x7f\\x00\\x00\\x01'
    """
    raw = raw.ljust(28, b"\0")
    if family == socket.AF_INET:
        return raw[4:8]
    address = raw[8:24]
    if address[0] == 0xFE and address[1] & 0xC0 == 0x80:
        # The kernels that come from KAME keep the interface's number in the third and fourth byte.
        address = address[:2] + b"\0\0" + address[4:]
    return address


def _prefix_length(mask: bytes | None) -> int | None:
    return None if mask is None else int.from_bytes(mask, "big").bit_count()
