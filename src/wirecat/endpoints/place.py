"""From the socket addresses of the kernel to addresses."""

from __future__ import annotations

import _socket

from wirecat.address import Address, known_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def place_of(socket_address: Any, scheme: str = "tcp") -> Address:
    """The address of what getpeername(2), getsockname(2) or accept(2) gave; ``scheme`` is that of the end.

    The family is told by the shape. (Asking a socket for it costs as much as all of this: Python makes an enum of it.)
    """
    if isinstance(socket_address, tuple):
        host, port = socket_address[:2]
        if type(host) is int:
            everywhere = host == _socket.VMADDR_CID_ANY  # type: ignore[attr-defined,unused-ignore]
            return Address("vsock", "" if everywhere else str(host), port)
        return known_address(scheme, host_of(socket_address), port)
    scheme = scheme if scheme == "unixgram" else "unix"
    if isinstance(socket_address, bytes):  # Linux' abstract names begin with a zero byte (unix(7))
        return Address(scheme, path="@" + socket_address[1:].decode("utf-8", "surrogateescape"))
    return Address(scheme, path=socket_address or "")


def host_of(socket_address: tuple[Any, ...]) -> str:
    """The host of a socket address of IPv4 or IPv6; a link-local address has its link (RFC 4007): ``fe80::1%eth0``."""
    host: str = socket_address[0]
    if len(socket_address) > 3 and socket_address[3]:
        return f"{host}%{_link(socket_address[3])}"
    return host


def _link(index: int) -> str:
    try:
        return _socket.if_indextoname(index)
    except (OSError, AttributeError):
        return str(index)
