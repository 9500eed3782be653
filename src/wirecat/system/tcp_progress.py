"""Whether the peer of a TCP connection still answers: what Linux tells of its acknowledgements (TCP_INFO, tcp(7)).

The age of the last ACK alone is no proof. Towards a live peer with a zero window the kernel doubles the time between two
probes up to two minutes, so the last ACK is that old although each probe was answered. So what is asked for is silence
after something that demands an answer: retransmissions, or window probes, that no ACK has followed.
"""

from __future__ import annotations

import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

MOST_RETRANSMISSIONS = 3  # unanswered; in 60 s of silence there are about 8
MOST_PROBES = 2  # unanswered; one may be lost on its way
_JITTER = 0.1  # seconds; the kernel counts in its own ticks
_SIZE = 232


class TcpProgress:
    """What TCP_INFO says at one moment. ``unacknowledged`` and ``unsent`` are segments under way and bytes that wait for
    room, ``window`` the bytes that the peer would take, ``probes`` window probes that were not answered,
    ``retransmissions`` all that there were, ``ack_age`` the seconds since the last ACK."""

    __slots__ = ("ack_age", "probes", "retransmissions", "unacknowledged", "unsent", "window")

    def __init__(
        self, *, unacknowledged: int, unsent: int, window: int, probes: int, retransmissions: int, ack_age: float
    ) -> None:
        self.unacknowledged = unacknowledged
        self.unsent = unsent
        self.window = window
        self.probes = probes
        self.retransmissions = retransmissions
        self.ack_age = ack_age


def tcp_progress(connected: socket.socket) -> TcpProgress | None:
    """Ask the kernel; None where it does not tell: not TCP, not Linux, or before Linux 5.4. Raises OSError."""
    if sys.platform != "linux":
        return None
    import socket

    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    info = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    if len(info) < _SIZE:
        return None

    def field(offset: int) -> int:
        return int(struct.unpack_from("=I", info, offset)[0])

    return TcpProgress(
        unacknowledged=field(24), unsent=field(144), window=field(228), probes=info[3], retransmissions=field(100),
        ack_age=field(56) / 1000,
    )  # fmt: skip


class AckWatch:
    """Follows one connection; ``is_dead`` is asked at intervals."""

    __slots__ = ("_retransmissions", "_since")

    def __init__(self) -> None:
        self._since: float | None = None  # since when an answer is due
        self._retransmissions = 0

    def is_dead(self, progress: TcpProgress, now: float, limit: float) -> bool:
        """Whether the peer has not answered for ``limit`` seconds. ``now`` is time.monotonic()."""
        if not (progress.unacknowledged or progress.unsent):
            self._since = None
            return False
        heard = now - progress.ack_age
        if self._since is None or heard > self._since + _JITTER:
            self._since = now if self._since is None else heard
            self._retransmissions = progress.retransmissions
        if now - self._since < limit:
            return False
        if progress.unacknowledged and progress.window:
            return progress.retransmissions - self._retransmissions >= MOST_RETRANSMISSIONS
        return progress.probes >= MOST_PROBES
