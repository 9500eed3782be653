"""TLS handshakes of clients that an event loop serves."""

from __future__ import annotations

from collections import deque
from time import monotonic

from wirecat.endpoints.place import place_of
from wirecat.server.tls_transport import TlsProtocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.tls import TlsListener
    from wirecat.server.handshakes import Handshakes
    from wirecat.server.registry import Registry

_BUFFER = 1 << 16  # bytes decrypted at a time
SLICE = 0.01  # seconds of handshakes before the loop's other work, the clients that are served, has its turn


class LoopHandshakes:
    """Gives the clients of ``listener`` protocols that do their handshake, and ends those that take too long.

    ``enter(protocol)`` is called for each that is complete; it returns whether the client may come in. To be used on
    ``loop``.
    """

    def __init__(
        self,
        listener: TlsListener,
        table: Handshakes,
        registry: Registry,
        enter: Callable[[TlsProtocol], bool],
        loop: asyncio.AbstractEventLoop,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.listener = listener
        self.table = table
        self.registry = registry
        self.enter = enter
        self.buffer = memoryview(bytearray(_BUFFER))  # what is decrypted passes through it at once
        self._loop = loop
        self._clock = clock
        self._ready: deque[TlsProtocol] = deque()  # those with something to compute
        self._timer: asyncio.TimerHandle | None = None
        listener.prepare()

    def protocol(self, accepted: socket.socket, peer: Any) -> TlsProtocol:
        """The protocol for a client that accept(2) gave. Its handshake has begun."""
        protocol = TlsProtocol(self, accepted, peer)
        self.table.add(protocol)
        if self._timer is None:
            self._set_timer()
        return protocol

    def schedule(self, protocol: TlsProtocol) -> None:
        """Let ``protocol`` compute, soon: a handshake takes milliseconds, and hundreds may be ready in the same round."""
        self._ready.append(protocol)
        if len(self._ready) == 1:
            self._loop.call_soon(self._compute)

    def _compute(self) -> None:
        end = self._clock() + SLICE
        while self._ready:
            self._ready[0].compute()
            self._ready.popleft()
            if self._ready and self._clock() >= end:
                self._loop.call_soon(self._compute)
                return

    def turn_away(self, peer: Any, reason: str) -> None:
        """The client at ``peer`` has had no handshake."""
        self._loop.call_soon(self.registry.deny, place_of(peer), reason)  # when the transport has closed the socket

    def _set_timer(self) -> None:
        seconds = self.table.wait
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        self.table.expire()
        self._set_timer()
