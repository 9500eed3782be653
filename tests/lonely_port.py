"""Sockets on a port number that nobody else on this machine uses, for tests that ask the socket table by port.

The table is the whole machine's. A port that the system picks (port 0) is of the range that it also gives to every
client, IPv4 and IPv6 and UDP apart, and old connections in TIME-WAIT keep such numbers for a minute: a test would see
them too. So these are picked below that range, and again if anybody has the number.
"""

from __future__ import annotations

import errno
import random
import socket

from wirecat.errors import WirecatError
from wirecat.system.socket_table import read_socket_table

_FIRST, _LAST = 10_000, 32_000  # clients get numbers from 32768 on (Linux), elsewhere from 49152 on


def lonely_socket(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, *, host: str = "") -> socket.socket:
    """A socket bound to ``host`` (loopback) and such a port; the caller listens on it, and closes it.

    Raises OSError where this machine has no such address.
    """
    host = host or ("::1" if family == socket.AF_INET6 else "127.0.0.1")
    for _ in range(100):
        bound = socket.socket(family, kind)
        try:
            bound.bind((host, random.randrange(_FIRST, _LAST)))
            if not is_in_table(bound.getsockname()[1], besides=bound):
                return bound
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                bound.close()
                raise
        bound.close()  # taken: another one
    raise AssertionError("no free port below those for clients")


def is_in_table(port: int, *, besides: socket.socket) -> bool:
    """Whether anybody else has the port. (A UDP socket is in the table as soon as it is bound.)"""
    try:
        rows = read_socket_table(port=port, processes=False).rows
    except WirecatError:
        return False  # without the table the tests that need it are skipped
    own = "tcp" if besides.type == socket.SOCK_STREAM else "udp"
    return any(row.protocol != own or row.state != "UNCONNECTED" for row in rows)
