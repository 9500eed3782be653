"""The thread engine: a thread for every connection, ended with it.

A responder's loop reads into one buffer per thread, adds to two counters and reads no clock: idleness is found by the
server's sweep, which compares the counters.
"""

from __future__ import annotations

import sys
import threading
import traceback

from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.handler import RESPONDER
from wirecat.taps.tap import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from wirecat.connection import ConnectionState
    from wirecat.server.handler import Handler
    from wirecat.server.registry import Registry
    from wirecat.server.responder import Responder

READ_SIZE = 16384
STACK_SIZE = 1 << 20  # bytes of address space a thread; the system's default is 8 MiB, too much for thousands
DISCARD_SIZE = 65536


class ThreadEngine:
    """Serves each adopted connection in a daemon thread of its own."""

    name = "threads"

    def __init__(self, handler: Handler, registry: Registry, chunk: int | None) -> None:
        self._handler = handler
        self._registry = registry
        self._chunk = chunk or READ_SIZE
        self._threads: set[threading.Thread] = set()

    def start(self) -> None:
        """Nothing to start: threads come with connections."""

    def adopt(self, accepted: socket.socket, peer: Any) -> None:
        """Serve an admitted client. Where no thread can be had the client is turned away and told."""
        connection = Connection(SocketStream(accepted, peer), self._registry.next_id())
        name = f"wirecat-{connection.id}"
        thread = threading.Thread(target=self._run, args=(connection,), name=name, daemon=True)
        self._threads.add(thread)
        self._registry.add(connection, name)
        previous = threading.stack_size(STACK_SIZE)
        try:
            thread.start()
        except RuntimeError as error:  # can't start new thread
            self._threads.discard(thread)
            connection.close()
            self._registry.fail(connection, f"no thread to serve it: {error}", "")
            self._registry.remove(connection, "server", "no thread left")
        finally:
            threading.stack_size(previous)

    def cut(self, connection: ConnectionState, reason: str) -> None:
        """End a connection from outside; its thread sees the end and goes."""
        connection.cut(reason)

    def stop(self, timeout: float) -> None:
        """Wait for the threads whose connections are over."""
        from wirecat.deadline import Deadline

        deadline = Deadline(timeout)
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(deadline.remaining())

    def stack_of(self, connection: ConnectionState) -> str:
        """Where the handler of a connection is now, for the report about one that will not end."""
        name = f"wirecat-{connection.id}"
        frames = sys._current_frames()
        for thread in list(self._threads):
            if thread.name == name and thread.ident in frames:
                return "".join(traceback.format_stack(frames[thread.ident]))
        return ""

    def _run(self, connection: Connection) -> None:
        registry = self._registry
        connection.on_end = lambda: registry.half_closed(connection)
        failure: BaseException | None = None
        try:
            if self._handler.colour == RESPONDER:
                _drive(connection, self._handler.call(), self._chunk)
            else:
                self._handler.call(connection)
        except BaseException as error:
            failure = error
            if is_handlers_fault(connection, error):
                registry.fail(connection, error, traceback.format_exc())
        finally:
            by, reason = ending_of(connection, failure)
            connection.on_end = None
            failure = None
            connection.close()
            registry.remove(connection, by, reason)
            self._threads.discard(threading.current_thread())


def _drive(connection: Connection, responder: Responder, chunk: int) -> None:
    """A responder's whole life on one connection. Raises what the stream and the responder raise."""
    stream = connection.stream
    _answer(connection, responder.opened())
    if responder.streams:
        _stream(connection, responder)
        return
    buffer = memoryview(bytearray(chunk))
    receive_into, receive, send = stream.receive_into, responder.receive, stream.send
    if isinstance(stream, SocketStream):
        send = _sender(stream)
    while not responder.finished:
        count = receive_into(buffer)
        if not count:
            break
        connection.bytes_received += count
        data = bytes(buffer[:count])
        if connection.taps:
            data = connection.tapped(RECEIVED, data)
        reply = receive(data)
        if reply:
            if connection.taps:
                reply = connection.tapped(SENT, reply)
            send(reply)
            connection.bytes_sent += len(reply)
    else:
        return
    connection.ended = True
    _answer(connection, responder.ended())


def _sender(stream: SocketStream) -> Any:
    """The stream's send; for a blocking socket the kernel's own loop (sendall) does the same with fewer steps."""
    from wirecat.endpoints.failures import broken

    sendall = stream.socket.sendall

    def send(data: bytes) -> None:
        try:
            sendall(data)
        except OSError as error:
            raise broken(error, stream.peer) from error

    return send


def _answer(connection: Connection, data: bytes | None) -> None:
    if data:
        connection.send(data)


def _stream(connection: Connection, responder: Responder) -> None:
    """An endless answer: what the client sends meanwhile is read by a second thread, so that neither waits for the other."""
    reader = threading.Thread(
        target=_feed, args=(connection, responder), name=f"wirecat-{connection.id}-reader", daemon=True
    )
    reader.start()
    try:
        while (data := responder.more()) is not None:
            connection.send(data)
    except BaseException:
        connection.stream.abort()
        raise
    finally:
        if not connection.ended:
            connection.stream.abort()
        reader.join()


def _feed(connection: Connection, responder: Responder) -> None:
    try:
        while (data := connection.receive(DISCARD_SIZE)) is not None:
            responder.receive(data)
    except OSError:
        return  # the sending thread meets the same end, and tells it
