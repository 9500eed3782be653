"""Unix domain sockets: connecting and listening by a path (unix(7))."""

from __future__ import annotations

import errno
import os
import socket
import stat

from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints.failures import connect_failure, listen_failure
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import AddressError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.endpoints.listener import Listener


def open_stream(address: Address, deadline: Deadline) -> SocketStream:
    """Connect to a path. Raises Refused (nobody listens), Unreachable (no such path), NoAnswer (its queue is full)."""
    from wirecat.endpoints.race import connect_first

    try:
        return SocketStream(connect_first([(_family(address), _name(address))], deadline), address)
    except FileNotFoundError as error:
        raise Unreachable("there is no such path", address=address, step="connect", errno=errno.ENOENT) from error
    except BlockingIOError as error:  # Linux: the listener's queue is full
        raise connect_failure(TimeoutError(), address) from error
    except OSError as error:
        raise connect_failure(error, address, deadline.seconds) from error


def open_listener(address: Address, backlog: int) -> Listener:
    """Listen on a path, which is removed at the end. A path that a dead server left behind is taken over.

    Raises ListenError.
    """
    from wirecat.endpoints.listener import Listener

    listening = socket.socket(_family(address), socket.SOCK_STREAM)
    try:
        try:
            listening.bind(_name(address))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not _left_behind(address):
                raise
            os.unlink(address.path)
            listening.bind(_name(address))
        listening.listen(backlog)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise listen_failure(error, address) from error
    return Listener([listening], unlink="" if address.path.startswith("@") else address.path)


def _left_behind(address: Address) -> bool:
    """Whether the path is a socket on which nobody listens any more."""
    try:
        if not stat.S_ISSOCK(os.stat(address.path).st_mode):
            return False
        open_stream(address, Deadline(1)).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _family(address: Address) -> int:
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise AddressError("this Python has no Unix domain sockets", address=address)
    return int(family)


def _name(address: Address) -> str:
    """The name for the kernel: a leading @ stands for the zero byte of Linux' abstract names."""
    return "\0" + address.path[1:] if address.path.startswith("@") else address.path
