"""Unix domain sockets: connecting and listening by a path (unix(7))."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys

from wirecat.address import Address
from wirecat.deadline import LONGEST_WAIT, Deadline
from wirecat.endpoints.failures import connect_failure, listen_failure
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import AddressError, Unreachable, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.endpoints.listener import Listener


def open_stream(address: Address, deadline: Deadline) -> SocketStream:
    """Connect to a path. Raises Refused (nobody listens), Unreachable (no such path), NoAnswer (its queue is full)."""
    attempt = socket.socket(unix_family(address), socket.SOCK_STREAM)
    try:
        attempt.settimeout(None)
        _connect(attempt, kernel_name(address), deadline)
    except BaseException as error:
        attempt.close()
        if isinstance(error, OSError):
            raise _connect_failure(error, address, deadline) from error
        raise
    return SocketStream(attempt, address)


def _connect(attempt: socket.socket, name: str, deadline: Deadline) -> None:
    """Linux lets a blocking connect wait while the listener's queue is full, for as long as SO_SNDTIMEO says. A
    non-blocking one fails at once there, and poll(2) then calls the socket ready although it is not connected."""
    remaining = deadline.remaining()
    if remaining is None or sys.platform == "win32":
        attempt.connect(name)
    else:
        import struct

        seconds, fraction = divmod(min(max(remaining, 0.001), LONGEST_WAIT), 1)  # 0 would be for ever
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(seconds), int(fraction * 1e6)))
        attempt.connect(name)
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 0))
    attempt.getpeername()  # a wait that a signal cut short must not be taken for success


def _connect_failure(error: OSError, address: Address, deadline: Deadline) -> WirecatError:
    if isinstance(error, FileNotFoundError):
        return Unreachable("there is no such path", address=address, step="connect", errno=errno.ENOENT)
    if isinstance(error, BlockingIOError):  # the listener's queue was full all the time
        return connect_failure(TimeoutError(), address, deadline.seconds)
    if error.errno is None:  # Python's own: the path is too long
        return AddressError(str(error), address=address, step="connect", hint="Choose a shorter path.")
    return connect_failure(error, address, deadline.seconds)


def open_listener(address: Address, backlog: int) -> Listener:
    """Listen on a path, which is removed at the end. A path that a dead server left behind is taken over.

    Raises ListenError.
    """
    from wirecat.endpoints.listener import Listener

    listening = bind_path(address, socket.SOCK_STREAM, _nobody_listens)
    listening.listen(backlog)
    return Listener([listening], unlink="" if address.path.startswith("@") else address.path)


def bind_path(address: Address, kind: int, left_behind: Callable[[Address], bool]) -> socket.socket:
    """A non-blocking socket bound to the path; one for which ``left_behind`` is true is taken over.

    Raises ListenError, AddressError.
    """
    bound = socket.socket(unix_family(address), kind)
    try:
        try:
            bound.bind(kernel_name(address))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not _is_socket(address.path) or not left_behind(address):
                raise
            os.unlink(address.path)
            bound.bind(kernel_name(address))
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        if error.errno is None:  # Python's own: the path is too long
            raise AddressError(str(error), address=address, step="listen", hint="Choose a shorter path.") from error
        raise listen_failure(error, address) from error
    return bound


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _nobody_listens(address: Address) -> bool:
    """Whether nobody listens on the path any more."""
    try:
        open_stream(address, Deadline(1)).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def unix_family(address: Address) -> int:
    """AF_UNIX. Raises AddressError where this Python has none."""
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise AddressError("this Python has no Unix domain sockets", address=address)
    return int(family)


def kernel_name(address: Address) -> str:
    """The name for the kernel: a leading @ stands for the zero byte of Linux' abstract names.

    Raises AddressError for a path with a zero byte in it.
    """
    if "\0" in address.path and not address.path.startswith("@"):
        raise AddressError("no path has a zero byte", address=repr(address.path), step="address")
    return "\0" + address.path[1:] if address.path.startswith("@") else address.path
