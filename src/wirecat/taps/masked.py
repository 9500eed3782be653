"""What an observing tap of a proxy sees: all that a client sends but its credentials."""

from __future__ import annotations

from wirecat.taps.tap import RECEIVED, Tap
from wirecat.wire.credential_mask import CredentialMask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class MaskedTap(Tap):
    """Shows ``tap``, which alters nothing, what goes by, with the credentials that clients send masked."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._masks: dict[int, CredentialMask] = {}

    @property
    def original(self) -> Tap:
        """The tap that sees what is masked here."""
        return self._tap

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        if direction == RECEIVED:
            mask = self._masks.get(connection)
            if mask is None:
                mask = self._masks[connection] = CredentialMask()
            data = mask.feed(data)
        self._tap.chunk(connection, direction, data, when)
        return None

    def finish(self, connection: int, direction: str) -> bytes:
        return self._tap.finish(connection, direction)

    def opened(self, connection: Any) -> None:
        self._tap.opened(connection)

    def broke(self, connection: int) -> None:
        self._tap.broke(connection)

    def closed(self, connection: Any, by: str, reason: str) -> None:
        self._masks.pop(connection.id, None)
        self._tap.closed(connection, by, reason)

    def report_to(self, tell: Callable[[str], object]) -> None:
        self._tap.report_to(tell)

    def close(self) -> None:
        self._tap.close()

    def detached(self, connection: Any) -> None:
        self._masks.pop(connection.id, None)
        self._tap.detached(connection)
