"""Sockets handed to the event loop: by transports of our own where the system has epoll(7), else by the loop's.

For the loop's there is no task for each: ``connect_accepted_socket`` awaits nothing but the loop's own next round, in
which ``connection_made`` is called. A task that waits for that is a good part of what a short connection costs; so the
coroutine is begun at once, and its end called by the future that it awaits.
"""

from __future__ import annotations

from wirecat.socket_transport import SocketTransport
from wirecat.system import readiness

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Coroutine
    from typing import Any

    from wirecat.connection import ConnectionState

    Failed = Callable[[ConnectionState | None, asyncio.Protocol, Exception], None]
    Begun = Coroutine[Any, Any, Any]


class Takeover:
    """Gives ``loop`` sockets. ``failed(connection, protocol, error)`` is told of one that it could not take; ``readiness``
    is what the transports of our own are driven by."""

    def __init__(self, loop: asyncio.AbstractEventLoop, failed: Failed) -> None:
        self._loop = loop
        self._failed = failed
        self.readiness = readiness.Readiness(loop) if readiness.AVAILABLE else None
        self._begun: dict[asyncio.Future[Any], tuple[Begun, ConnectionState | None, asyncio.Protocol]] = {}

    def take(self, connection: ConnectionState | None, protocol: asyncio.Protocol, accepted: socket.socket) -> None:
        """Let ``protocol`` be called for what ``accepted`` does. To be called on the loop.

        ``connection`` is what it is known as, if it is known yet. The socket becomes one that does not block.
        """
        if self.readiness is None:
            self._go_on(self._loop.connect_accepted_socket(lambda: protocol, accepted), connection, protocol)
            return
        try:
            SocketTransport(self.readiness, accepted, protocol)
        except (OSError, ValueError) as error:
            self._failed(connection, protocol, error)

    def _go_on(self, begun: Begun, connection: ConnectionState | None, protocol: asyncio.Protocol) -> None:
        try:
            awaited = begun.send(None)
        except StopIteration:
            pass
        except Exception as error:
            self._failed(connection, protocol, error)
        else:
            self._begun[awaited] = begun, connection, protocol
            awaited.add_done_callback(self._done)

    def _done(self, awaited: asyncio.Future[Any]) -> None:
        self._go_on(*self._begun.pop(awaited))

    def close(self) -> None:
        """Call no protocol any more."""
        if self.readiness is not None:
            self.readiness.close()
