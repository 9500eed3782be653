"""Admission at ports without connections, whichever way their peers are served: what is reported, and how often."""

from __future__ import annotations

from wirecat.events import Withheld
from wirecat.server.admission import Admission
from wirecat.server.once_a_second import OnceASecond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.endpoints.datagram_listener import DatagramListener
    from wirecat.server.reply_limit import ReplyLimit


class DatagramAdmission(Admission):
    """As Admission. Each datagram of a peer that is turned away comes as one of a new peer, so that is reported once a
    second; ``replies`` tells what was withheld. When the limit is reached a new peer replaces the one that has been silent
    longest; with ``evict`` False it is turned away.
    """

    _listener: DatagramListener

    def __init__(self, *arguments: Any, replies: ReplyLimit, evict: bool = True, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._replies = replies
        self._evict = evict and self._registry.limit > 0
        self._reported = OnceASecond()
        self._listener.on_ignored = self._deny

    def _deny(self, peer: Address, reason: str) -> None:
        if self._reported.now(f"{peer.host} {reason}"):
            self._registry.deny(peer, reason)

    def _is_allowed(self, peer: Address) -> bool:
        """Whether the access list admits ``peer``. One that is not admitted is reported."""
        if peer.host is None or self._access.permits(peer.host):
            return True
        self._deny(peer, "not allowed")
        return False

    def _deny_full(self, peer: Address) -> None:
        self._deny(peer, f"connection limit reached ({self._registry.limit})")

    def _report_withheld(self) -> None:
        for peer, count, size in self._replies.take_withheld():
            self._registry.publisher.publish(
                Withheld(peer=peer, count=count, size=size, limit=self._replies.limit or 0)
            )
