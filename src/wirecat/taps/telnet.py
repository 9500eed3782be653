"""A tap that refuses every telnet option the peer offers, and takes the negotiation out of the data (ncat's ``-t``)."""

from __future__ import annotations

from wirecat.taps.tap import RECEIVED, Tap
from wirecat.wire.telnet import TelnetRefuser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class TelnetTap(Tap):
    """Alters what is received. ``answer(data)`` sends a refusal to the peer; it is called from the thread that
    receives, so it has to be one that may send while another thread does (see ``endpoints.taking_turns``). For one
    connection."""

    alters = True

    def __init__(self, answer: Callable[[bytes], None]) -> None:
        self._refuser = TelnetRefuser()
        self._answer = answer

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        if direction != RECEIVED:
            return data
        text, reply = self._refuser.receive(data)
        if reply:
            self._answer(reply)
        return text
