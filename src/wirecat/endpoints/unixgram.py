"""Unix domain sockets for datagrams (unix(7), SOCK_DGRAM): like UDP by a path, but nothing is lost."""

from __future__ import annotations

import errno
import os
import socket
import sys

from wirecat.address import Address
from wirecat.endpoints.datagram_stream import OWN_NAME, DatagramStream
from wirecat.endpoints.failures import connect_failure
from wirecat.endpoints.idle import LISTENER_IDLE, idle_of
from wirecat.endpoints.unix import bind_path, kernel_name, unix_family
from wirecat.errors import AddressError, NetworkError, Unreachable, UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.deadline import Deadline
    from wirecat.endpoints.datagram_listener import DatagramListener


def open_stream(address: Address, deadline: Deadline) -> DatagramStream:
    """A socket for that path alone, with a name of its own, so that it can be answered: ``source`` or one that is free.

    Raises Refused (nobody listens), Unreachable (no such path), UsageError (the source is taken).
    """
    idle = idle_of(address, None)
    connected, unlink = _named(address)
    try:
        connected.settimeout(None)
        connected.connect(kernel_name(address))
    except BaseException as error:
        DatagramStream(connected, address.bare, unlink=unlink).close()
        if isinstance(error, OSError):
            raise _connect_failure(error, address.bare, deadline) from error
        raise
    return DatagramStream(connected, address.bare, idle=idle, unlink=unlink)


def _named(address: Address) -> tuple[socket.socket, str]:
    """A socket with a name, and the path that is to be removed with it."""
    source = address.option("source")
    if source:
        try:
            bound = bind_path(Address("unixgram", path=source), socket.SOCK_DGRAM, lambda taken: False)
        except WirecatError as error:  # about this machine's end, not about a listener
            error.address, error.step = source, "source"
            raise
        return bound, "" if source.startswith("@") else source
    made = socket.socket(unix_family(address), socket.SOCK_DGRAM)
    if sys.platform == "linux":
        made.bind("")  # an abstract name that is free (unix(7), "Autobind feature")
        return made, ""
    import tempfile

    folder = tempfile.mkdtemp(prefix="wirecat-")
    path = os.path.join(folder, OWN_NAME)
    try:
        made.bind(path)
    except OSError as error:
        made.close()
        os.rmdir(folder)
        hint = "Name one: source=PATH."
        raise UsageError(f"no own path can be had in {folder}: {error}", address=address.bare, hint=hint) from error
    return made, path


def _connect_failure(error: OSError, address: Address, deadline: Deadline) -> WirecatError:
    if isinstance(error, FileNotFoundError):
        return Unreachable("there is no such path", address=address, step="connect", errno=errno.ENOENT)
    if error.errno == errno.EPROTOTYPE:
        hint = "Write unix:// for those."
        return NetworkError(
            "the program that listens there takes connections, not datagrams",
            address=address,
            step="connect",
            hint=hint,
        )
    if error.errno is None:  # Python's own: the path is too long
        return AddressError(str(error), address=address, step="connect", hint="Choose a shorter path.")
    return connect_failure(error, address, deadline.seconds)


def open_listener(address: Address, backlog: int) -> DatagramListener:
    """Listen on a path, which is removed at the end. A path that a dead server left behind is taken over.

    Raises ListenError.
    """
    from wirecat.endpoints.datagram_listener import DatagramListener

    idle = idle_of(address, LISTENER_IDLE)
    bound = bind_path(address, socket.SOCK_DGRAM, _nobody_listens)
    unlink = "" if address.path.startswith("@") else address.path
    return DatagramListener([bound], backlog, unlink=unlink, scheme="unixgram", idle=idle, reliable=True)


def _nobody_listens(address: Address) -> bool:
    """Whether nobody listens on the path any more."""
    with socket.socket(unix_family(address), socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(kernel_name(address))
        except OSError as error:
            return error.errno == errno.ECONNREFUSED
    return False
