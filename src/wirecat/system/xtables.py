"""The tables of iptables-legacy of the calling thread's network: read and replaced through the kernel's socket options.

No program is run, because iptables-legacy loads kernel modules. Only tables that the kernel lists are asked for, for the same
reason.
"""

from __future__ import annotations

import ctypes
import os
import socket

from wirecat.system.kernel_file import read_kernel_file

#: Kind of table → the file that lists its tables, the address family, the level, the number of the first option.
_KINDS = {
    "ip": ("ip_tables_names", socket.AF_INET, socket.IPPROTO_IP, 64),
    "ip6": ("ip6_tables_names", socket.AF_INET6, 41, 64),
    "arp": ("arp_tables_names", socket.AF_INET, socket.IPPROTO_IP, 96),
}
_GET_INFO, _GET_ENTRIES, _SET_REPLACE = 0, 1, 0


def list_tables(kind: str) -> list[str]:
    """The names of the tables of a kind (ip, ip6, arp) that the kernel has. Raises OSError where that may not be read."""
    try:
        return read_kernel_file(f"/proc/thread-self/net/{_KINDS[kind][0]}").decode("ascii").split()
    except FileNotFoundError:
        return []


class TableSocket:
    """A socket in the calling thread's network that reads and replaces tables of one kind. Use it in a ``with`` block.

    Raises OSError without CAP_NET_RAW and CAP_NET_ADMIN.
    """

    def __init__(self, kind: str) -> None:
        _, family, self._level, self._base = _KINDS[kind]
        self._socket = socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW)
        self._libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> TableSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get_info(self, request: bytearray) -> bytes:
        """IPT_SO_GET_INFO. Raises OSError."""
        return self._get(self._base + _GET_INFO, request)

    def get_entries(self, request: bytearray) -> bytes:
        """IPT_SO_GET_ENTRIES. Raises OSError: EAGAIN where the table has changed since its size was read."""
        return self._get(self._base + _GET_ENTRIES, request)

    def replace(self, request: bytes) -> None:
        """IPT_SO_SET_REPLACE. Raises OSError."""
        self._socket.setsockopt(self._level, self._base + _SET_REPLACE, request)

    def _get(self, option: int, request: bytearray) -> bytes:
        # The module socket cannot pass in what the kernel reads from the buffer.
        buffer = (ctypes.c_char * len(request)).from_buffer(request)
        length = ctypes.c_uint32(len(request))
        if self._libc.getsockopt(self._socket.fileno(), self._level, option, buffer, ctypes.byref(length)) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return bytes(request[: length.value])
