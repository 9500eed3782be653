"""The thread engine: a thread for every connection, ended with it.

A responder's loop adds to two counters and reads no clock: idleness is found by the server's sweep, which compares the
counters. A thread that waits has touched a few pages of its stack and no buffer.

A client that writes without end and reads nothing stops its own thread, which is TCP's back-pressure and harms no
other client; ``idle_timeout`` ends it.
"""

from __future__ import annotations

import socket
import sys
import threading
import traceback

from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints.socket_stream import LINGER, SocketStream
from wirecat.errors import WirecatError
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.handler import RESPONDER
from wirecat.server.responder_thread import READ_SIZE, drive
from wirecat.system.scheduling import gather, wait_for_turns
from wirecat.taps.tap import RECEIVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address
    from wirecat.connection import ConnectionState
    from wirecat.server.handler import Handler
    from wirecat.server.registry import Registry
    from wirecat.stream import Stream

STACK_SIZE = 1 << 20  # bytes of address space a thread; the system's default is 8 MiB, too much for thousands


# The stack size is the whole process', and several servers may be in it.
_STACK_LOCK = threading.Lock()


def _start_with_small_stack(thread: threading.Thread) -> None:
    """Start it, and leave the stack size of other threads as it was. Raises RuntimeError where there is none to be had."""
    with _STACK_LOCK:
        previous = threading.stack_size(STACK_SIZE)
        try:
            thread.start()
        finally:
            threading.stack_size(previous)


class ThreadEngine:
    """Serves each adopted connection in a daemon thread of its own."""

    name = "threads"
    shares_thread = False

    def __init__(
        self,
        handler: Handler,
        registry: Registry,
        chunk: int | None,
        open_stream: Callable[[socket.socket, Any], Stream] = SocketStream,
        connection: Callable[[Stream, int], Connection] = Connection,
    ) -> None:
        """``open_stream`` makes the stream over what accept(2) gave, ``connection`` the connection over the stream."""
        self._handler = handler
        self._registry = registry
        self._chunk = chunk or READ_SIZE
        self._open_stream = open_stream
        self._connection = connection
        self._threads: dict[int, threading.Thread] = {}
        self._ended: threading.Thread | None = None  # the last that has done; it has waited for those before it
        self._lock = threading.Lock()
        self.handshaking: dict[int, Connection] = {}  # those in their handshake: no connections of the server yet
        self.may_enter: Callable[[Address], bool] = lambda peer: True
        """Whether a client whose handshake is complete is let in. For the server's admission to set."""
        self._arranged = False
        self.turn: int | None = None  # which processor is ours, where several processes share them out
        self._processors: set[int] | None = None

    def start(self) -> None:
        """Nothing to start: threads come with connections."""

    def adopt(self, accepted: socket.socket, peer: Any, id: int | None = None) -> None:
        """Serve an admitted client, as number ``id`` where it has one. Where no thread can be had the client is turned
        away and told."""
        self.serve(self._open_stream(accepted, peer), id)

    def serve(self, stream: Stream, id: int | None = None) -> None:
        """As ``adopt``, for a stream that is open already."""
        if not self._arranged:  # in the thread that accepts; those that it starts are as it is
            self._arranged = True
            wait_for_turns()
            # Ours work for some microseconds between two waits; what others write may compute, beside the others.
            if self._handler.colour == RESPONDER and self._handler.built_in:
                self._processors = gather(self.turn)
        connection = self._connection(stream, self._registry.next_id() if id is None else id)
        name = f"wirecat-{connection.id}"
        thread = threading.Thread(target=self._run, args=(connection,), name=name, daemon=True)
        with self._lock:
            self._threads[connection.id] = thread
        if stream.ready:
            self._registry.add(connection, name)
        else:
            self.handshaking[connection.id] = connection
        try:
            _start_with_small_stack(thread)
        except RuntimeError as error:  # can't start new thread
            with self._lock:
                del self._threads[connection.id]
            connection.abort()  # or its close would wait for the client, and all others with it
            connection.close()
            self._registry.fail(connection, f"no thread to serve it: {error}", "")
            if self.handshaking.pop(connection.id, None) is None:
                self._registry.remove(connection, "server", "no thread left")

    def cut(self, connection: ConnectionState, reason: str) -> None:
        """End a connection from outside; its thread sees the end and goes."""
        connection.cut(reason)

    def stop(self, timeout: float) -> bool:
        """Wait for the threads whose connections are over; False if one still runs after ``timeout`` seconds."""
        deadline = Deadline(timeout)
        for connection in list(self.handshaking.values()):
            connection.cut("shutdown")
        with self._lock:
            threads = [*self._threads.values(), *([self._ended] if self._ended else [])]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(deadline.remaining())
        return not any(thread.is_alive() for thread in threads)

    def stuck(self, connections: list[ConnectionState]) -> list[tuple[ConnectionState, str, str]]:
        """Those of ``connections`` whose handler holds them open, each with the reason and the handler's stack."""
        frames = sys._current_frames()
        report = []
        for connection in connections:
            thread = self._threads.get(connection.id)
            frame = frames.get(thread.ident or 0) if thread is not None else None
            stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
            report.append((connection, f"the handler {self._handler.name} will not end", stack))
        return report

    def _run(self, connection: Connection) -> None:
        if connection.id in self.handshaking and not self._complete_handshake(connection):
            return
        registry = self._registry
        first_end: list[bool] = []  # at the peer's end: whether we had not ended ours yet

        def at_end() -> None:
            first_end.append(not connection.half_closed)
            registry.half_closed(connection)

        datagrams = connection.stream.keeps_boundaries
        if not datagrams:  # they have no end: who says nothing for long is taken to have gone
            connection.on_end = at_end
        failure: BaseException | None = None
        try:
            if self._handler.colour != RESPONDER:
                self._handler.call(connection)
            else:
                drive(connection, self._handler.call(), self._chunk, self._processors)
        except BaseException as error:
            failure = error
            if is_handlers_fault(connection, error):
                registry.fail(connection, error, traceback.format_exc())
        finally:
            if datagrams and connection.ended and failure is None and not connection.cut_reason:
                connection.cut_reason = "idle"
            peer_first = first_end[0] if first_end else _ended_unread(connection)
            by, reason = ending_of(connection, failure, peer_first=peer_first)
            connection.on_end = None
            failure = None
            _part(connection)
            registry.remove(connection, by, reason)
            self._thread_ends(connection.id)

    def _complete_handshake(self, connection: Connection) -> bool:
        """A handshake that its thread has to do (DTLS); a client with whom it fails is turned away."""
        reason = ""
        try:
            connection.stream.handshake()
        except BaseException as error:
            if not isinstance(error, WirecatError):
                self._registry.fail(connection, error, traceback.format_exc())
            reason = connection.cut_reason or f"no TLS: {getattr(error, 'message', error)}"
        del self.handshaking[connection.id]
        if not reason and self.may_enter(connection.peer):
            self._registry.add(connection, threading.current_thread().name)
            return True
        connection.close()
        if reason:
            self._registry.deny(connection.peer, reason)
        self._thread_ends(connection.id)
        return False

    def _thread_ends(self, id: int) -> None:
        """Wait for the thread that ended before this one: so one reference is enough to wait for all that have done."""
        with self._lock:
            self._threads.pop(id, None)
            previous, self._ended = self._ended, threading.current_thread()
        if previous is not None:
            previous.join()


def _ended_unread(connection: Connection) -> bool:
    """Whether the peer has ended its half without the handler having seen it."""
    stream = connection.stream
    if connection.closed or connection.half_closed or not isinstance(stream, SocketStream):
        return connection.ended
    if connection.ended or not hasattr(socket, "MSG_DONTWAIT"):
        return connection.ended
    try:
        return not stream.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:  # nothing there, or it broke
        return False


def _part(connection: Connection) -> None:
    """Close: our end first, then a moment for the client's, whose bytes are read away.

    A close with bytes unread, or bytes that come after it, would reset the connection, and the reset would take the
    answer from a client that has not read it yet. LINGER seconds at most, which nobody but this thread waits.
    """
    stream = connection.stream
    if stream.can_half_close and not (connection.closed or connection.ended or connection.cut_reason):
        try:
            connection.half_close()
            deadline, scratch = Deadline(LINGER), bytearray(READ_SIZE)
            while left := deadline.remaining():
                stream.set_timeout(left)
                if not stream.receive_into(scratch):
                    if connection.taps:
                        connection.tapped_end(RECEIVED)
                    break
            else:
                stream.abort()  # it sends on and on, and was given its time; its close would give it more
        except WirecatError:
            stream.abort()  # it has gone already, or is silent
    connection.close()
