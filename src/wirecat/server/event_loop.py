"""The event-loop engine: one loop in one thread for all connections (uvloop or winloop, where installed)."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback

from wirecat.async_connection import AsyncConnection
from wirecat.deadline import Deadline
from wirecat.endpoints.failures import broken
from wirecat.endpoints.socket_stream import LINGER
from wirecat.errors import WirecatError
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.handler import RESPONDER
from wirecat.server.responder_protocol import ResponderProtocol
from wirecat.server.takeover import Takeover
from wirecat.system.loops import loop_factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine
    from types import FrameType
    from typing import Any

    from wirecat.connection import ConnectionState
    from wirecat.endpoints.tls import TlsListener
    from wirecat.server.handler import Handler
    from wirecat.server.handshakes import Handshakes
    from wirecat.server.loop_handshakes import LoopHandshakes
    from wirecat.server.registry import Registry
    from wirecat.server.tls_transport import TlsProtocol
    from wirecat.system.readiness import Readiness

THREAD = "wirecat-loop"
CANCEL_AFTER = 1.0  # seconds that a cut connection's function gets to end by itself; then its task is cancelled
ANSWER_TIME = 1.0  # seconds within which a loop that is not blocked answers


class EventLoopEngine:
    """Serves each adopted connection on the loop: responders by a protocol, async functions by a task."""

    name = "async"
    shares_thread = True
    can_accept = sys.platform != "win32"
    """Whether the loop can watch listeners itself: asyncio's own on Windows watches no descriptors."""

    def __init__(
        self,
        handler: Handler,
        registry: Registry,
        chunk: int | None,
        tls: TlsListener | None = None,
        handshakes: Handshakes | None = None,
    ) -> None:
        """``tls`` is the listener, where it is one for TLS, and ``handshakes`` what counts its clients' handshakes."""
        self._handler = handler
        self._registry = registry
        self._chunk = chunk
        self._tls = tls
        self._table = handshakes
        self._handshakes: LoopHandshakes | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._takeover: Takeover | None = None
        self._running = threading.Event()
        self._failure: BaseException | None = None
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)

    def start(self) -> None:
        """Start the loop's thread; returns once it runs. Raises what kept it from running."""
        self._thread.start()
        self._running.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(self._main())
        except BaseException as error:
            if self._running.is_set():
                self._registry.fail(None, error, traceback.format_exc())
            self._failure = error
        finally:
            self._running.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._takeover = Takeover(self._loop, self._not_taken)
        if self._tls is not None and self._table is not None:
            from wirecat.server.loop_handshakes import LoopHandshakes

            self._handshakes = LoopHandshakes(self._tls, self._table, self._registry, self._enter, self._loop)
        self._ended = asyncio.Event()
        self._running.set()
        try:
            await self._ended.wait()
        finally:
            self._takeover.close()

    def adopt(self, accepted: socket.socket, peer: Any, id: int | None = None) -> None:
        """Serve an admitted client, as number ``id`` where it has one. Called from the accept thread."""
        assert self._loop is not None
        if self._handshakes is not None:
            self._loop.call_soon_threadsafe(self._begin_handshake, accepted, peer)
            return
        # Registered on the loop, but counted from now on, or a burst would overrun the limit.
        self._registry.expect()
        try:
            self._loop.call_soon_threadsafe(self._take, accepted, peer, id)
        except BaseException:
            self._registry.expected()
            raise

    def adopt_here(self, accepted: socket.socket, peer: Any) -> None:
        """As ``adopt``, called on the loop."""
        if self._handshakes is not None:
            self._begin_handshake(accepted, peer)
        else:
            self._take(accepted, peer, None, expected=False)

    def _begin_handshake(self, accepted: socket.socket, peer: Any) -> None:
        """Begin the TLS handshake of a client that may be admitted when that is complete."""
        assert self._handshakes is not None and self._takeover is not None
        protocol = self._handshakes.protocol(accepted, peer)
        self._takeover.take(None, protocol, accepted)

    def _enter(self, tls: TlsProtocol) -> bool:
        """A handshake is complete: whether the client is served."""
        assert self._table is not None
        if not self._table.may_enter(tls.peer):
            return False
        id = self._registry.next_id()
        if self._handler.colour == RESPONDER:
            protocol = self._responder_protocol(tls.socket, tls.peer, id)
            protocol.tls = tls.facts()
            self._registry.add(protocol, THREAD)
            tls.drive(protocol)
            return True
        connection = AsyncConnection(tls.socket, tls.peer, id)
        connection.tls = tls.facts()
        self._registry.add(connection, f"wirecat-{id}")
        tls.drive(connection.protocol())
        self._start_task(connection, self._serve(connection, started=True))
        return True

    def _take(self, accepted: socket.socket, peer: Any, id: int | None, expected: bool = True) -> None:
        if id is None:
            id = self._registry.next_id()
        if self._handler.colour == RESPONDER:
            assert self._takeover is not None
            protocol = self._responder_protocol(accepted, peer, id)
            self._registry.add(protocol, THREAD, expected=expected)
            self._takeover.take(protocol, protocol, accepted)
            return
        accepted.setblocking(False)
        connection = AsyncConnection(accepted, peer, id)
        self._registry.add(connection, f"wirecat-{connection.id}", expected=expected)
        self._start_task(connection, self._serve(connection))

    def _responder_protocol(self, accepted: socket.socket, peer: Any, id: int) -> ResponderProtocol:
        assert self._loop is not None
        return ResponderProtocol(self._handler.call, accepted, peer, self._registry, self._chunk, self._loop, id)

    def _start_task(self, connection: AsyncConnection, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        self._tasks[connection.id] = self._loop.create_task(work, name=f"wirecat-{connection.id}")

    def _not_taken(self, connection: ConnectionState | None, driven: asyncio.Protocol, error: Exception) -> None:
        if not isinstance(error, OSError):  # else the client was gone before the loop had it
            self._registry.fail(connection, error, traceback.format_exc())
        driven.connection_lost(error)

    async def _serve(self, connection: AsyncConnection, started: bool = False) -> None:
        registry = self._registry
        failure: BaseException | None = None
        peer_first: list[bool] = []

        def at_end() -> None:
            peer_first.append(not connection.half_closed)
            registry.half_closed(connection)

        try:
            if not started:
                started = await self._start(connection)
            if not connection.cut_reason:
                connection.on_end = at_end
                if connection.ended:  # it was as soon as TLS began
                    at_end()
                await self._handler.call(connection)
        except BaseException as error:
            failure = error
            if is_handlers_fault(connection, error):
                registry.fail(connection, error, traceback.format_exc())
        finally:
            by, reason = ending_of(connection, failure, peer_first=bool(peer_first and peer_first[0]))
            connection.on_end = None
            failure = None
            try:
                if started:
                    await _part(connection)
            finally:
                connection.socket.close()
                registry.remove(connection, by, reason)
                self._tasks.pop(connection.id, None)

    async def _start(self, connection: AsyncConnection) -> bool:
        """Take the connection over into the loop. Raises ConnectionBroken where the client was gone before."""
        try:
            await connection.start(readiness=self._readiness())
        except OSError as error:
            raise broken(error, connection.peer) from error
        if connection.cut_reason:  # cut in the meantime
            connection.abort()
        return True

    def _readiness(self) -> Readiness | None:
        return None if self._takeover is None else self._takeover.readiness

    def cut(self, connection: ConnectionState, reason: str) -> None:
        """End a connection from outside: its reads give the end, its writes fail; a function that still waits for
        something else after CANCEL_AFTER seconds is cancelled."""
        self.call(self._cut, connection, reason)

    def _cut(self, connection: ConnectionState, reason: str) -> None:
        connection.cut(reason)
        task = self._tasks.get(connection.id)
        if task is not None:
            timer = asyncio.get_running_loop().call_later(CANCEL_AFTER, task.cancel)
            task.add_done_callback(lambda _: timer.cancel())

    def stop(self, timeout: float) -> bool:
        """End the loop; tasks that have not ended by now are cancelled. False if it runs after ``timeout`` seconds."""
        if self._ended is not None:
            self.call(self._ended.set)
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def call(self, function: Callable[..., object], *arguments: object) -> bool:
        """Call it on the loop; False where there is none, or no more."""
        try:
            if self._loop is None:
                return False
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # it is closed
            return False
        return True

    def stuck(self, connections: list[ConnectionState]) -> list[tuple[ConnectionState | None, str, str]]:
        """Those of ``connections`` whose handler holds them open, each with the reason and the handler's stack.

        A handler that blocks the loop holds all of them, and is alone to blame.
        """
        name = self._handler.name
        if connections and not self._answers():
            frame = sys._current_frames().get(self._thread.ident or 0)
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            return [(_served_by(frame), f"the handler {name} blocks the event loop and will not end", stack)]
        return [(each, f"the handler {name} will not end", self._stack_of(each)) for each in connections]

    def _answers(self) -> bool:
        """Whether the loop still comes round."""
        answered = threading.Event()
        return not self.call(answered.set) or answered.wait(ANSWER_TIME)

    def _stack_of(self, connection: ConnectionState) -> str:
        """Where a connection's task waits, from its function down to what is awaited (asyncio shows but the first)."""
        task = self._tasks.get(connection.id)
        awaited: Any = None if task is None else task.get_coro()
        frames = []
        while awaited is not None:
            for kind in ("cr", "gi", "ag"):
                frame = getattr(awaited, f"{kind}_frame", None)
                if frame is not None:
                    frames.append((frame, frame.f_lineno))
                    awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await", None)
                    break
            else:
                break
        return "".join(traceback.StackSummary.extract(iter(frames)).format())


def _served_by(frame: FrameType | None) -> ConnectionState | None:
    """The connection whose handler runs in ``frame`` or in one that called it."""
    while frame is not None:
        protocol = frame.f_locals.get("self")
        if isinstance(protocol, ResponderProtocol):
            return protocol
        if frame.f_code is EventLoopEngine._serve.__code__:
            connection: ConnectionState = frame.f_locals["connection"]
            return connection
        frame = frame.f_back
    return None


async def _part(connection: AsyncConnection) -> None:
    """Close: our end first, then for at most LINGER seconds the client's, whose bytes are read away.

    Bytes that come after a close reset the connection, and the reset would take the answer from the client.
    """
    try:
        if not (connection.closed or connection.ended or connection.cut_reason):
            await connection.half_close()
            deadline = Deadline(LINGER)
            while left := deadline.remaining():
                connection.timeout = left
                if await connection.receive() is None:
                    break
    except WirecatError:
        pass  # it has gone already, or is silent
    finally:
        await connection.close()
