"""The second router on the way out, which names itself when a datagram of two hops dies there (Linux, no root).

Asked only on demand (``--probe-path``): it is the one question that leaves the local network.
"""

from __future__ import annotations

import select
import socket
import struct
import sys

# An address for documentation (RFC 5737), where nobody is; the datagram does not live to go there.
TARGET = "192.0.2.1"
_PORT = 33434  # where traceroute begins
_IP_RECVERR = 11  # linux/in.h
_SO_EE_ORIGIN_ICMP = 2
_ERROR = struct.Struct("=IBBBBII")  # sock_extended_err: errno, origin, type, code, padding, info, data


def second_hop(seconds: float) -> str | None:
    """The address of the second router, or None where it does not tell. Raises OSError where there is no way out."""
    if not sys.platform.startswith("linux"):
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        probe.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 2)
        probe.connect((TARGET, _PORT))
        for _ in range(2):
            probe.send(b"")
            # An error in the queue wakes poll whatever is asked for.
            watcher = select.poll()
            watcher.register(probe.fileno(), 0)
            if watcher.poll(seconds * 500):
                _, ancillary, _, _ = probe.recvmsg(512, 512, socket.MSG_ERRQUEUE)
                for level, kind, data in ancillary:
                    if level == socket.IPPROTO_IP and kind == _IP_RECVERR:
                        return read_error(data)
    return None


def read_error(data: bytes) -> str | None:
    """Who sent the ICMP message that a queued error tells of (ip(7), IP_RECVERR); None where it was no router."""
    if len(data) < _ERROR.size + 8:
        return None
    _, origin, kind, _, _, _, _ = _ERROR.unpack_from(data)
    # Time exceeded; or unreachable, from a router that will not pass it on (RFC 792).
    if origin != _SO_EE_ORIGIN_ICMP or kind not in (3, 11):
        return None
    return socket.inet_ntop(socket.AF_INET, data[_ERROR.size + 4 : _ERROR.size + 8])
