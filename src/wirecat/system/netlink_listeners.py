"""What the socket table of Linux does not show of a TCP listener, by sock_diag(7): what ``ss -lte`` prints."""

from __future__ import annotations

import socket
import struct

from wirecat.immutable import Immutable
from wirecat.system.netlink import dump, message_reader, read_attributes

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_SKV6ONLY, _MARK = 11, 15
_REQUEST = struct.Struct("=BBBxI48x")  # inet_diag_req_v2
_LISTEN = 1 << 10
# inet_diag_msg: family, state, timer, retransmissions; port, peer's port, address, peer's address, device, cookie; expires,
# queues, user, inode
_MESSAGE = struct.Struct("=BBBB2s2s16s16sI8xIIIII")
_FAMILIES = (socket.AF_INET, 10)  # AF_INET6 on Linux


class Listener(Immutable):
    """A TCP listener: ``family`` and ``address`` (raw bytes) that it is bound to, ``port``, ``device`` (the index of the interface
    that SO_BINDTODEVICE names, 0 for none), ``uid`` of its user, ``inode``.

    ``only_ipv6`` says whether an IPv6 listener takes IPv6 only. ``mark`` is SO_MARK; the kernel tells root alone, others see 0.
    """

    __slots__ = ("family", "address", "port", "device", "uid", "inode", "only_ipv6", "mark")

    family: int
    address: bytes
    port: int
    device: int
    uid: int
    inode: int
    only_ipv6: bool
    mark: int

    def __init__(
        self, family: int, address: bytes, port: int, device: int, uid: int, inode: int, only_ipv6: bool, mark: int
    ) -> None:
        self._set(family=family, address=address, port=port, device=device, uid=uid, inode=inode, only_ipv6=only_ipv6,
                  mark=mark)  # fmt: skip


def read_listeners(port: int = 0) -> list[Listener]:
    """The TCP listeners of the calling thread's network, on one port or (0) on all. Raises OSError where netlink is refused."""
    found: list[Listener] = []

    def read(buffer: bytearray, start: int, end: int) -> None:
        family, _, _, _, number, _, address, _, device, _, _, _, uid, inode = _MESSAGE.unpack_from(buffer, start)
        attributes = read_attributes(buffer, start + _MESSAGE.size, end)
        own = int.from_bytes(number, "big")
        if own == port or not port:
            raw = address[:4] if family == socket.AF_INET else address
            only = attributes.get(_SKV6ONLY, b"\0")[:1] != b"\0"
            (mark,) = struct.unpack("=I", attributes.get(_MARK, bytes(4)))
            found.append(Listener(family, raw, own, device, uid, inode, only, mark))

    reader = message_reader(_SOCK_DIAG_BY_FAMILY, _MESSAGE.size, read)
    for family in _FAMILIES:
        dump(_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _LISTEN), reader)
    return found
