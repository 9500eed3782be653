"""vsock: between a virtual machine and its host, without a network (vsock(7)). A host is a number there, the CID.

``vsock://2:1234`` is port 1234 of the host, ``vsock://1234`` one of this machine, ``vsock://:1234`` is for listening
to all.
"""

from __future__ import annotations

import errno
import socket

from wirecat.endpoints.failures import connect_failure, error_number, listen_failure
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import AddressError, Unreachable, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.deadline import Deadline

LOCAL, ANY, LARGEST = 1, 0xFFFFFFFF, 0xFFFFFFFF  # VMADDR_CID_LOCAL, VMADDR_CID_ANY
_ANY_PORT = 0xFFFFFFFF  # VMADDR_PORT_ANY


def open_stream(address: Address, deadline: Deadline) -> SocketStream:
    """Connect. Raises Refused, NoAnswer, Unreachable, and UsageError where the kernel has no vsock."""
    from wirecat.endpoints.race import connect_first

    place = (_cid(address, LOCAL), address.port)
    try:
        return SocketStream(connect_first([(_family(address), place)], deadline))
    except OSError as error:
        if error_number(error) in (errno.ENODEV, errno.EADDRNOTAVAIL):
            raise Unreachable(
                "no way to that machine", address=address, step="connect", errno=error.errno,
                hint="The host is 2; this machine itself can be reached where the kernel has vsock_loopback.",
            ) from error  # fmt: skip
        raise connect_failure(error, address, deadline.seconds) from error


def open_listener(address: Address, backlog: int) -> Listener:
    """Listen. Raises ListenError, and UsageError where the kernel has no vsock."""
    cid = ANY if address.host == "" else _cid(address, LOCAL)
    try:
        listening = socket.socket(_family(address), socket.SOCK_STREAM)
    except OSError as error:
        raise listen_failure(error, address) from error
    try:
        listening.bind((cid, address.port or _ANY_PORT))
        listening.listen(backlog)
        listening.setblocking(False)
        return Listener([listening], scheme="vsock")
    except OSError as error:
        listening.close()
        raise listen_failure(error, address) from error


def _cid(address: Address, default: int) -> int:
    host = address.host or str(default)
    if not (host.isascii() and host.isdigit() and len(host) <= 10 and int(host) <= LARGEST):
        hint = "Write vsock://2:1234 for port 1234 of the host."
        raise AddressError(f"{host!r} is no number of a machine (CID)", address=address, hint=hint)
    return int(host)


def _family(address: Address) -> int:
    family = getattr(socket, "AF_VSOCK", None)
    try:
        if family is not None:
            socket.socket(family, socket.SOCK_STREAM).close()
            return int(family)
    except OSError as error:
        if error_number(error) != errno.EAFNOSUPPORT:
            raise connect_failure(error, address) from error
    hint = "It is there in and around virtual machines, on Linux."
    raise UsageError("this PC has no vsock", address=address, hint=hint)
