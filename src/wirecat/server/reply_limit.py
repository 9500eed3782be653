"""How many datagrams a server sends to one peer each second: a bound for what a forged sender can do.

The sender of a datagram can write any address into it as its source, and the answer goes there. If that is another server
that answers, one datagram can travel between the two for ever. So answers are limited: in number, and in the bytes by which
they are more than what was received from there (an answer that is no longer than its question amplifies nothing).

The limit is per host. On loopback it is per address and port, because many clients share the address. What has no port (a
Unix domain socket's path) cannot be forged and has no limit.
"""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.options import REPLIES_A_SECOND
from wirecat.wire.authority import unmapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.address import Address

BYTES_A_REPLY = 1200  # bytes that may go out beyond those that came in, for each reply that the limit allows
_MOST = 16_384  # peers remembered


class ReplyLimit:
    """Allows ``limit`` replies a second to each peer, as many at once; None: any number. ``clock`` gives seconds.

    >>> limit = ReplyLimit(1)
    >>> [limit.allows(key, 5, 5) for key in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    [True, False, True]
    """

    def __init__(self, limit: int | None = REPLIES_A_SECOND, clock: Callable[[], float] = monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        # Replies and bytes left, and when that was so; the peer that was answered longest ago first.
        self._left: dict[str, tuple[float, float, float]] = {}
        self._withheld: dict[str, tuple[Address, int, int]] = {}

    def key_of(self, peer: Address) -> str | None:
        """What ``peer`` shares its limit with; None where it has no limit."""
        if self.limit is None or peer.port is None:
            return None
        host = unmapped(peer.host or "")
        return f"{host} {peer.port}" if peer.replace(host=host).this_pc_only else host

    def allows(self, key: str, size: int, received: int) -> bool:
        """Whether a reply of ``size`` bytes may be sent; it counts then. ``received``: bytes that came since the last."""
        limit = self.limit
        assert limit is not None
        most_bytes = float(limit * BYTES_A_REPLY)
        now = self._clock()
        with self._lock:
            found = self._left.pop(key, None)
            if found is not None:
                replies, spare, before = found
                replies = min(float(limit), replies + (now - before) * limit)
                spare = min(most_bytes, spare + (now - before) * most_bytes)
            elif len(self._left) < _MOST:
                replies, spare = float(limit), most_bytes
            else:
                # A flood of forged senders. Each new one gets a single reply, so that none gains by being forgotten.
                del self._left[next(iter(self._left))]
                replies, spare = 1.0, float(BYTES_A_REPLY)
            allowed = replies >= 1 and spare >= size - received
            if allowed:
                replies, spare = replies - 1, spare - size
            self._left[key] = (replies, min(most_bytes, spare + received), now)
            return allowed

    def withhold(self, key: str, peer: Address, size: int) -> None:
        """Count a reply of ``size`` bytes that was not sent to ``peer``."""
        with self._lock:
            _, count, total = self._withheld.get(key, (peer, 0, 0))
            self._withheld[key] = (peer, count + 1, total + size)

    def take_withheld(self) -> list[tuple[Address, int, int]]:
        """For each peer the last address, and how many replies and bytes were withheld since the last call."""
        if not self._withheld:
            return []
        with self._lock:
            withheld, self._withheld = self._withheld, {}
        return list(withheld.values())
