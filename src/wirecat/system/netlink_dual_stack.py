"""Which IPv6 listeners on Linux take IPv6 only: the attribute INET_DIAG_SKV6ONLY of sock_diag(7), as ``ss -e`` shows it."""

from __future__ import annotations

import socket
import struct

from wirecat.system.netlink import dump, message_reader, read_attributes

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_SKV6ONLY = 11
_REQUEST = struct.Struct("=BBBxI48x")  # inet_diag_req_v2
_LISTEN = 1 << 10
_MESSAGE_BYTES = 72  # inet_diag_msg, whose last four are the inode


def read_ipv6_only() -> dict[int, bool]:
    """Each IPv6 TCP listener's inode, and whether it takes IPv6 only. Raises OSError where netlink is refused."""
    found: dict[int, bool] = {}
    request = _REQUEST.pack(socket.AF_INET6, socket.IPPROTO_TCP, 0, _LISTEN)

    def read(buffer: bytearray, start: int, end: int) -> None:
        (inode,) = struct.unpack_from("=I", buffer, start + _MESSAGE_BYTES - 4)
        flag = read_attributes(buffer, start + _MESSAGE_BYTES, end).get(_SKV6ONLY)
        if flag:
            found[inode] = bool(flag[0])

    reader = message_reader(_SOCK_DIAG_BY_FAMILY, _MESSAGE_BYTES, read)
    dump(_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, request, reader)
    return found
