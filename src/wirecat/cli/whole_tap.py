"""A tap whose steps are not interrupted by signals."""

from __future__ import annotations

import _thread

from wirecat.taps.tap import Tap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.cli.ending_of_signals import ending_of_signals


class WholeTap(Tap):
    """``tap``, none of whose steps in the thread ``main`` a signal interrupts."""

    def __init__(self, tap: Tap, signals: ending_of_signals, main: int) -> None:
        self.alters = tap.alters
        self._tap, self._signals, self._main = tap, signals, main

    def _do(self, step: Callable[..., Any], *arguments: object) -> Any:
        if _thread.get_ident() != self._main:
            return step(*arguments)
        self._signals.hold()
        try:
            return step(*arguments)
        finally:
            self._signals.release()

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        done: bytes | None = self._do(self._tap.chunk, connection, direction, data, when)
        return done

    def finish(self, connection: int, direction: str) -> bytes:
        rest: bytes = self._do(self._tap.finish, connection, direction)
        return rest

    def opened(self, connection: Any) -> None:
        self._do(self._tap.opened, connection)

    def broke(self, connection: int) -> None:
        self._do(self._tap.broke, connection)

    def closed(self, connection: Any, by: str, reason: str) -> None:
        self._do(self._tap.closed, connection, by, reason)

    def close(self) -> None:
        self._do(self._tap.close)

    def detached(self, connection: Any) -> None:
        self._do(self._tap.detached, connection)
