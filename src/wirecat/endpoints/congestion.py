"""Congestion control of a connection that stays within this machine.

There is no network to share there. BBR, which many systems set for all connections, paces what it sends by timers all
the same, and that costs up to a seventh of the speed; Reno (RFC 5681), which every Linux has and every user may choose,
sends what the receiver has room for.
"""

from __future__ import annotations

import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address

_OPTION = getattr(socket, "TCP_CONGESTION", None)  # tcp(7); Linux and FreeBSD
_NAME_SIZE = 16  # TCP_CA_NAME_MAX
PACED = b"bbr"
UNPACED = b"reno"


def stays_here(local: Address, peer: Address) -> bool:
    """Whether both ends of a TCP connection are on this machine."""
    return peer.port is not None and (peer.this_pc_only or (peer.host, peer.scheme) == (local.host, local.scheme))


def stop_pacing(connected: socket.socket) -> None:
    """Let ``connected`` send as fast as the other end takes. Nothing, where the system knows no such thing."""
    if _OPTION is None:
        return
    try:
        if connected.getsockopt(socket.IPPROTO_TCP, _OPTION, _NAME_SIZE).startswith(PACED):
            connected.setsockopt(socket.IPPROTO_TCP, _OPTION, UNPACED)
    except OSError:
        pass  # it has ended already, or is none of TCP's: then it is as fast as it was
