"""A relay's events as lines for people: those of its server, and where each client is joined to."""

from __future__ import annotations

from wirecat.events import Event, Listening, Stopped
from wirecat.views.text_addresses import listening_lines
from wirecat.views.text_server import ServerLog


class RelayLog(ServerLog):
    """As ServerLog. ``verbose`` tells of targets, and how the bytes move; with ``once`` only what one client needs."""

    def __init__(self, verbose: bool = False, once: bool = False) -> None:
        super().__init__(verbose)
        self._once = once

    def _texts(self, event: Event) -> list[str]:
        if self._once and isinstance(event, Listening):
            return listening_lines(event.addresses)
        if self._once and isinstance(event, Stopped):
            return []
        if event.name == "joined" and self._verbose:
            return [f"#{event.connection} joined to {event.target}, from {event.local}"]  # type: ignore[attr-defined]
        if event.name == "moving" and self._verbose:
            where = "to" if event.direction == "forward" else "from"  # type: ignore[attr-defined]
            return [f"#{event.connection} {where} the target: {event.how}"]  # type: ignore[attr-defined]
        return super()._texts(event)
