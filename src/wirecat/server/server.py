"""The server: a listener, an engine and a registry, from start to a clean end."""

from __future__ import annotations

import threading

from wirecat.address import DEFAULT_ADDRESS, Address
from wirecat.endpoints import open_listener, scheme_of
from wirecat.events import Event, Listening, Publisher, Stopped, Stopping
from wirecat.options import ServeOptions
from wirecat.server.assembly import choose_acceptor, make_engine, make_handshakes
from wirecat.server.capacity import asked_for, default_capacity
from wirecat.server.check import check
from wirecat.server.dead_peers import find_dead_peers
from wirecat.server.handler import Handler, load_handler
from wirecat.server.registry import Registry
from wirecat.taps.masked import MaskedTap
from wirecat.taps.row import require_own_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from wirecat.endpoints.listener import Listener
    from wirecat.events import Listener as EventListener
    from wirecat.server.acceptor import Acceptor
    from wirecat.server.access import AccessList
    from wirecat.server.datagram_acceptor import DatagramAcceptor
    from wirecat.server.datagram_watcher import DatagramWatcher
    from wirecat.server.loop_acceptor import LoopAcceptor
    from wirecat.server.registry import ConnectionInfo
    from wirecat.taps.tap import Tap

MOST_PEERS = 1000  # by default at one port without connections, where a sender can be forged
CUT_TIME = 2.0  # seconds that handlers get to end once their connections are cut


class Server:
    """A running server. Made by ``serve``; as a context manager it stops at the end of the block.

    ``addresses`` are those it listens on; ``address`` is one that a client on this machine can connect to.
    """

    def __init__(
        self, handler: Handler, address: Address, options: ServeOptions, listener: Listener | None = None
    ) -> None:
        self.handler = handler
        self.options = options
        access = check(handler, address, options)
        if options.max_connections is None:
            limit, self._limit_reason = default_capacity(handler.engine)
            if scheme_of(address).keeps_boundaries and limit > MOST_PEERS:
                limit, self._limit_reason = MOST_PEERS, "peers without a connection"
        else:
            limit, self._limit_reason = asked_for(options.max_connections, handler.engine)
        self._publisher = self._make_publisher()
        self._registry = Registry(self._publisher, limit)
        self._listener = listener or open_listener(address, options.backlog)
        self._handshakes = make_handshakes(self._listener, options)
        self.addresses = self._listener.addresses
        try:
            tell_handler = getattr(handler.call, "listening", None)
            if callable(tell_handler):  # a proxy knows by its own addresses what would go round in a circle
                tell_handler(self.addresses)
            self._engine = make_engine(handler, self._registry, options, self._listener, self._handshakes)
            self._acceptor = self._make_acceptor(access)
        except BaseException:
            self._listener.close()
            raise
        self._begin_life()

    def _begin_life(self) -> None:
        self._finished = threading.Event()
        self._on_finished: tuple[Callable[[], object], ...] = ()
        self._stop_lock = threading.Lock()
        self._cutting = False
        self._stuck = 0
        self._ended = False

    def _make_publisher(self) -> Publisher:
        return Publisher()

    def _make_acceptor(self, access: AccessList) -> Acceptor | LoopAcceptor | DatagramAcceptor | DatagramWatcher:
        kind, adopt, more = self._admission()
        acceptor: Acceptor | LoopAcceptor | DatagramAcceptor | DatagramWatcher = kind(
            self._listener, self._registry, access, adopt, self._engine.cut, once=self.options.once,
            idle_timeout=self.options.idle_timeout, **more,
        )  # fmt: skip
        acceptor.dead_peers = find_dead_peers(self._listener, self.options.dead_after)
        return acceptor

    def _admission(self) -> tuple[Any, Any, dict[str, Any]]:
        """See choose_acceptor."""
        return choose_acceptor(self._engine, self._listener, self.options, self._handshakes)

    def prepare(self) -> None:
        """What takes time and can be done before anybody is to be let in; nothing, in one process."""

    def start(self) -> Self:
        """Begin to serve: the Listening event, then clients."""
        self._publisher.publish(
            Listening(addresses=self.addresses, limit=self._registry.limit, limit_reason=self._limit_reason)
        )
        if self.options.once:
            self._registry.on_empty = self._finish
        self._engine.start()
        self._acceptor.start()
        return self

    @property
    def address(self) -> Address:
        """An address that a client on this machine can connect to."""
        first = self.addresses[0]
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(first.host or "", first.host)
        return first if first.port is None else first.replace(host=here)

    @property
    def limit(self) -> int:
        """How many connections at once are let in."""
        return self._registry.limit

    @property
    def connections(self) -> list[ConnectionInfo]:
        """The live connections as they stand now, oldest first."""
        return self._registry.snapshot()

    @property
    def served(self) -> int:
        """How many connections were let in so far."""
        return self._registry.served

    def subscribe(self, listener: EventListener) -> Callable[[], None]:
        """Call ``listener(event)`` for each event from now on, in a thread of its own; returns a function that ends
        it. A listener that has a method ``batch`` is given those that come together as a list, by that.

        To have the first event too: ``serve(..., on_event=listener)``.
        """
        return self._publisher.subscribe(listener)

    def publish(self, event: Event) -> None:
        """Let the listeners know of something beside the server's own events, in order with them."""
        self._publisher.publish(event)

    def attach(self, tap: Tap) -> None:
        """Let ``tap`` see every chunk of all connections from now on. Credentials that clients send to a proxy are masked
        for a tap that alters nothing.

        Raises UsageError for a tap that waits (``Tap.waits``) where one thread serves many connections.
        """
        require_own_thread(tap, self._engine.shares_thread)
        self._registry.attach(MaskedTap(tap) if self.handler.credentials and not tap.alters else tap)

    def detach(self, tap: Tap) -> None:
        """Take ``tap`` off all connections."""
        self._registry.detach(tap)

    def kick(self, id: int) -> bool:
        """End the connection of that number; False if there is none."""
        connection = self._registry.find(id)
        if connection is None:
            return False
        self._engine.cut(connection, "kicked")
        return True

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the server has stopped, or with ``once`` has served; False after ``timeout`` seconds."""
        return self._finished.wait(timeout)

    def on_finished(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call ``call()`` when ``wait`` would return; returns a function that takes it back."""
        self._on_finished += (call,)
        if self._finished.is_set():
            call()

        def forget() -> None:
            self._on_finished = tuple(other for other in self._on_finished if other is not call)

        return forget

    def _finish(self) -> None:
        if self._finished.is_set():
            return
        self._finished.set()
        for call in self._on_finished:
            call()

    @property
    def stuck(self) -> int:
        """How many handlers would not end when it was stopped."""
        return self._stuck

    @property
    def ended(self) -> bool:
        """Whether it has stopped and nothing of it runs any more: no handler, and nothing that one has left behind."""
        return self._ended

    def cut(self) -> None:
        """End a drain that is going on: connections that are still open are cut now."""
        self._cutting = True
        self._registry.wake()

    def stop(self, drain: float | None = None) -> int:
        """Accept no more, give open connections ``drain`` seconds (None: the option's) to end, cut the rest.

        The port is free as soon as this begins. Returns how many handlers would not end even after CUT_TIME seconds;
        each was told as a Failed event with its stack, and its thread ends with the process. Stopping twice is nothing.

        Not to be called by a handler: it would wait for itself.
        """
        with self._stop_lock:
            if self._acceptor is None:
                return self._stuck
            seconds = self.options.drain if drain is None else drain
            if self._listener.datagrams:
                seconds = 0.0  # peers without connections do not end by themselves
            self._acceptor.stop_accepting()
            self._publisher.publish(Stopping(open_count=len(self._registry), seconds=seconds))
            if not self._registry.wait_empty(seconds, lambda: self._cutting):
                self._registry.wait_arrived(CUT_TIME)
                for connection in self._registry.connections():
                    self._engine.cut(connection, "shutdown")
                self._registry.wait_empty(CUT_TIME)
            for stuck, problem, stack in self._engine.stuck(self._registry.connections()):
                self._stuck += 1
                self._registry.fail(stuck, problem, stack)
            self._acceptor.stop()
            self._ended = self._engine.stop(CUT_TIME if not self._stuck else 0.1)
            self._acceptor = None  # type: ignore[assignment]
            self._publisher.publish(Stopped(served=self._registry.served, stuck=self._stuck))
            self._publisher.close()
            self._finish()
            return self._stuck

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "stopped" if self._acceptor is None else f"{len(self._registry)} open"
        return f"<Server {self.handler.name} on {', '.join(map(str, self.addresses))}, {state}>"


def serve(
    handler: str | Callable[..., Any],
    address: str | int | Address = DEFAULT_ADDRESS,
    *,
    on_event: EventListener | None = None,
    on_start: Callable[[Server], None] | None = None,
    listener: Listener | None = None,
    workers: int | str | None = None,
    **options: Any,
) -> Server:
    """Start a server for ``handler`` on ``address`` and return it, running.

    ``handler`` is a function ``def handler(connection)`` (a thread for each client), ``async def handler(connection)``
    (an event loop), a Responder class, or a text: a built-in name (``echo``, ``reply:TEMPLATE``, ``discard``,
    ``daytime``, ``chargen``, ``chat``, ``broker``, ``exec:COMMAND``, ``proxy``), ``FILE.py:FUNCTION`` or
    ``MODULE:FUNCTION``. A bare port listens on this PC only; what is opened to others, ``exec`` and ``proxy`` too, is
    the caller's to say.
    ``on_event`` gets every event from the first; ``on_start`` is given the server before it lets the first client in.
    ``listener`` is one that is open already, in place of ``address``; the server closes it. ``workers`` is how many
    processes serve, or ``auto``, one for each processor: for TCP, on systems that share a port (SO_REUSEPORT), and
    handlers that a worker can import.
    The options are those of ServeOptions: ``engine``, ``max_connections``, ``idle_timeout`` and ``dead_after`` (seconds),
    ``allow``, ``deny``, ``drain`` (seconds), ``framing``, ``chunk`` (bytes), ``once``, ``backlog``, ``udp_replies``, ``evict``.

    Raises HandlerError, UsageError, AddressError, ListenError.

    >>> import wirecat
    >>> def shout(connection):
    ...     for text in connection.lines():
    ...         connection.send_line(text.upper())
    >>> with wirecat.serve(shout, "127.0.0.1:0") as server:
    ...     with wirecat.connect(server.address) as connection:
    ...         connection.send_line("hello")
    ...         connection.receive_line()
    'HELLO'
    """
    known = ServeOptions(**options)
    chosen = load_handler(handler, engine=known.engine, framing=known.framing)
    place = Address.parse(address) if listener is None else listener.addresses[0]
    if workers is None:
        server = Server(chosen, place, known, listener)
    else:
        from wirecat.server.supervise import supervise

        server = supervise(handler, chosen, place, known, workers, listener=listener)
    if on_event is not None:
        server.subscribe(on_event)
    try:
        server.prepare()
        if on_start is not None:
            on_start(server)
        return server.start()
    except BaseException:
        server.stop(0)
        raise
