"""The event-loop engine: one thread with one loop for all connections (uvloop or winloop where installed, else asyncio)."""

from __future__ import annotations

import asyncio
import threading
import traceback

from wirecat.async_connection import AsyncConnection
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.handler import RESPONDER
from wirecat.server.responder_protocol import ResponderProtocol
from wirecat.system.loops import loop_factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine
    from typing import Any

    from wirecat.connection import ConnectionState
    from wirecat.server.handler import Handler
    from wirecat.server.registry import Registry


class EventLoopEngine:
    """Serves each adopted connection on the loop: responders by a protocol, async functions by a task."""

    name = "async"

    def __init__(self, handler: Handler, registry: Registry, chunk: int | None) -> None:
        self._handler = handler
        self._registry = registry
        self._chunk = chunk
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running = threading.Event()
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="wirecat-loop", daemon=True)

    def start(self) -> None:
        """Start the loop's thread; returns once it runs."""
        self._thread.start()
        self._running.wait()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._running.set()
        await self._ended.wait()

    def adopt(self, accepted: socket.socket, peer: Any) -> None:
        """Serve an admitted client. Called from the accept thread."""
        assert self._loop is not None
        accepted.setblocking(False)
        # Registered on the loop, but counted from now on, or a burst would overrun the limit.
        self._registry.expect()
        self._loop.call_soon_threadsafe(self._take, accepted, peer)

    def _take(self, accepted: socket.socket, peer: Any) -> None:
        loop = asyncio.get_running_loop()
        if self._handler.colour == RESPONDER:
            try:
                responder = self._handler.call()
            except Exception as error:
                self._registry.expected()
                self._registry.fail(None, error, traceback.format_exc())
                accepted.close()
                return
            protocol = ResponderProtocol(responder, accepted, peer, self._registry, self._chunk)
            self._registry.add(protocol, self._thread.name, expected=True)
            self._spawn(self._start_protocol(protocol, accepted))
            return
        connection = AsyncConnection(accepted, peer, self._registry.next_id())
        self._registry.add(connection, f"wirecat-{connection.id}", expected=True)
        task = loop.create_task(self._serve(connection), name=f"wirecat-{connection.id}")
        self._tasks[connection.id] = task

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _start_protocol(self, protocol: ResponderProtocol, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: protocol, accepted)
        except OSError as error:
            # The client was gone before the loop had it.
            protocol.connection_lost(error)

    async def _serve(self, connection: AsyncConnection) -> None:
        registry = self._registry
        failure: BaseException | None = None
        try:
            await connection.start()
            connection.on_end = lambda: registry.half_closed(connection)
            await self._handler.call(connection)
        except BaseException as error:
            failure = error
            if is_handlers_fault(connection, error):
                registry.fail(connection, error, traceback.format_exc())
        finally:
            by, reason = ending_of(connection, failure)
            connection.on_end = None
            failure = None
            try:
                await connection.close()
            finally:
                connection.socket.close()
                registry.remove(connection, by, reason)
                self._tasks.pop(connection.id, None)

    def cut(self, connection: ConnectionState, reason: str) -> None:
        """End a connection from outside: its reads give the end, its writes fail."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(connection.cut, reason)

    def stop(self, timeout: float) -> None:
        """End the loop. Tasks that have not ended by now are cancelled."""
        if self._loop is None or self._ended is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(timeout)

    def stack_of(self, connection: ConnectionState) -> str:
        """Where the handler of a connection is now, for the report about one that will not end."""
        import io

        task = self._tasks.get(connection.id)
        if task is None:
            return ""
        text = io.StringIO()
        task.print_stack(file=text)
        return text.getvalue()
