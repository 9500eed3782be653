"""What a server is put together from: an engine for its handler, and what accepts clients for that engine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.endpoints.listener import Listener
    from wirecat.options import ServeOptions
    from wirecat.server.event_loop import EventLoopEngine
    from wirecat.server.handler import Handler
    from wirecat.server.handshakes import Handshakes
    from wirecat.server.registry import Registry
    from wirecat.server.threads import ThreadEngine


def make_handshakes(listener: Listener, options: ServeOptions) -> Handshakes | None:
    """What counts the clients whose handshake is not complete; None where there are none, or each has a thread (DTLS)."""
    seconds = listener.handshake_time
    if seconds is None or listener.datagrams:
        return None
    from wirecat.server.handshakes import Handshakes

    idle = options.idle_timeout
    return Handshakes(seconds if idle is None else min(idle, seconds), options.max_handshakes)


def make_engine(
    handler: Handler, registry: Registry, options: ServeOptions, listener: Listener, handshakes: Handshakes | None
) -> ThreadEngine | EventLoopEngine:
    """The engine that the handler asks for."""
    if listener.datagrams:
        from wirecat.server import datagram_serving

        engine: Any = datagram_serving.make_engine(handler, registry, listener, options)
        return engine  # type: ignore[no-any-return]
    if handler.engine == "async":
        from wirecat.server.event_loop import EventLoopEngine

        tls: Any = None if handshakes is None else listener
        return EventLoopEngine(handler, registry, options.chunk, tls, handshakes)
    from wirecat.server.threads import ThreadEngine

    return ThreadEngine(handler, registry, options.chunk, listener.open)


def choose_acceptor(
    engine: Any, listener: Listener, options: ServeOptions, handshakes: Handshakes | None
) -> tuple[Any, Any, dict[str, Any]]:
    """The class that accepts clients, what it calls for one that may come in, and its further arguments."""
    if listener.datagrams:
        from wirecat.server.datagram_serving import admission

        return admission(engine, options)
    more: dict[str, Any] = {} if handshakes is None else {"handshakes": handshakes}
    if engine.name == "async":
        more["call"] = engine.call
        if engine.can_accept:
            from wirecat.server.loop_acceptor import LoopAcceptor

            return LoopAcceptor, engine.adopt_here, more
    elif handshakes is not None:
        from wirecat.server.secure_acceptor import SecureAcceptor

        return SecureAcceptor, engine.serve, more
    from wirecat.server.acceptor import Acceptor

    return Acceptor, engine.adopt, more
