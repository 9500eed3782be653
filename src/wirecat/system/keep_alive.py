"""TCP's keep-alive (RFC 9293 section 3.8.4, tcp(7)), which finds idle peers that are lost."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable


def keep_alive(connected: socket.socket, seconds: float) -> None:
    """Let the kernel probe an idle peer, so that a lost one is noticed within ``seconds``: the first probe comes after half
    of them, and three in all. Accepted sockets inherit this from their listener. Raises OSError."""
    import socket

    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"  # macOS' name for it
    for name, value in ((idle, seconds / 2), ("TCP_KEEPINTVL", seconds / 6), ("TCP_KEEPCNT", 3)):
        if (number := getattr(socket, name, None)) is not None:
            connected.setsockopt(socket.IPPROTO_TCP, number, max(1, round(value)))


def keep_clients_alive(listening: Iterable[socket.socket], seconds: float) -> bool:
    """The same for the clients of listening sockets; whether all of them speak TCP."""
    for each in listening:
        try:
            keep_alive(each, seconds)
        except OSError:  # another protocol of that family (SCTP), which probes by itself
            return False
    return True
