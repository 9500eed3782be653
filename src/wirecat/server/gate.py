"""The gate of a worker: clients that it has accepted wait here until the supervisor has said yes and given a number."""

from __future__ import annotations

import threading
import traceback

from wirecat.endpoints.place import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.server.registry import Registry

    Adopt = Callable[[socket.socket, Any, int], None]


MOST = 128


class Gate:
    """``ask`` takes an accepted client and asks ``send("ask", n=…)``; ``admit`` hands it to ``adopt``, ``refuse`` does not.

    Who waits here counts as open at ``registry``, so that a stop waits for the answer. When MOST wait, ``ask`` does: more
    would wait in the channel, where each answer that is not read yet takes room from the next.
    """

    def __init__(self, send: Callable[..., object], registry: Registry, adopt: Adopt) -> None:
        self._send = send
        self._registry = registry
        self._adopt = adopt
        self._changed = threading.Condition()
        self._waiting: dict[int, tuple[socket.socket, Any]] = {}
        self._last = 0
        self._closed = False

    def ask(self, accepted: socket.socket, peer: Any) -> None:
        """May it come in? The answer comes later, to ``admit`` or ``refuse``."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < MOST or self._closed)
            if self._closed:
                accepted.close()
                return
            self._last += 1
            number = self._last
            self._waiting[number] = (accepted, peer)
            self._registry.expect()
        self._send("ask", n=number)

    def admit(self, number: int, id: int) -> None:
        """It may, and is connection ``id``. One that cannot be served is told, to the supervisor as ``gone``."""
        accepted, peer = self._take(number)
        try:
            self._adopt(accepted, peer, id)
        except Exception as error:  # whatever it is, it concerns this one client
            accepted.close()
            self._registry.fail(None, error, traceback.format_exc())
            self._send("gone", id=id)
        finally:
            self._registry.expected()

    def refuse(self, number: int, reason: str | None) -> None:
        """It may not, and is told as denied, if there is a reason."""
        accepted, peer = self._take(number)
        accepted.close()
        self._registry.expected()
        if reason is not None:
            self._registry.deny(place_of(peer), reason)
        if self._registry.on_room is not None:
            self._registry.on_room()

    def close(self) -> None:
        """Let go of all who wait, and who comes: nobody will answer any more."""
        with self._changed:
            self._closed = True
            numbers = list(self._waiting)
            self._changed.notify_all()
        for number in numbers:
            self.refuse(number, None)

    def _take(self, number: int) -> tuple[socket.socket, Any]:
        with self._changed:
            self._changed.notify_all()
            return self._waiting.pop(number)
