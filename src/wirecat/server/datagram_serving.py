"""How peers of datagrams are served: responders in the listener's own thread, other handlers in a thread for each peer."""

from __future__ import annotations

from wirecat.endpoints.datagram_listener import DatagramListener
from wirecat.server.datagram_acceptor import DatagramAcceptor
from wirecat.server.datagram_engine import DatagramEngine
from wirecat.server.datagram_watcher import DatagramWatcher
from wirecat.server.handler import RESPONDER
from wirecat.server.peer_connection import PeerConnection
from wirecat.server.reply_limit import ReplyLimit
from wirecat.server.threads import ThreadEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.endpoints.listener import Listener
    from wirecat.options import ServeOptions
    from wirecat.server.handler import Handler
    from wirecat.server.registry import Registry


class PeerThreads(ThreadEngine):
    """The thread engine for peers of datagrams, whose replies are limited."""

    def __init__(self, handler: Handler, registry: Registry, replies: ReplyLimit) -> None:
        super().__init__(handler, registry, None, connection=lambda stream, id: PeerConnection(stream, id, replies))
        self.replies = replies


def make_engine(
    handler: Handler, registry: Registry, listener: Listener, options: ServeOptions
) -> DatagramEngine | PeerThreads:
    """The engine for a handler whose clients send datagrams to ``listener``."""
    assert isinstance(listener, DatagramListener)
    replies = ReplyLimit(options.udp_replies)
    if handler.colour == RESPONDER:
        return DatagramEngine(handler, registry, replies, listener.wake)
    return PeerThreads(handler, registry, replies)


def admission(engine: Any, options: ServeOptions) -> tuple[Any, Any, dict[str, Any]]:
    """The acceptor for an engine of ``make_engine``, what it gives new peers to, and its further arguments."""
    more: dict[str, Any] = {"replies": engine.replies, "evict": options.evict, "engine": engine}
    return DatagramWatcher if isinstance(engine, DatagramEngine) else DatagramAcceptor, engine.serve, more
