"""The thread engine: a thread for every connection, ended with it.

A responder's loop adds to two counters and reads no clock: idleness is found by the server's sweep, which compares the
counters. A thread that waits has touched a few pages of its stack and no buffer.

A client that writes without end and reads nothing stops its own thread: the answer fills the kernel's buffers, the
send waits, and nothing more is read until the client reads. That is TCP's back-pressure, and harms no other client;
``idle_timeout`` ends it.
"""

from __future__ import annotations

import socket
import sys
import threading
import traceback

from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints.failures import broken
from wirecat.endpoints.socket_stream import LINGER, SocketStream
from wirecat.errors import WirecatError
from wirecat.server.answer_rate import AnswerRate, OnceASecond
from wirecat.server.datagram_responder import drive_datagrams
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.handler import RESPONDER
from wirecat.server.responder import answer_bytes
from wirecat.taps.tap import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.connection import ConnectionState
    from wirecat.server.handler import Handler
    from wirecat.server.registry import Registry
    from wirecat.server.responder import Responder
    from wirecat.stream import Stream

READ_SIZE = 16384
LARGEST_SEND = 1 << 18  # bytes handed to the kernel at once, so that a slow reader's progress is seen in the counter
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

    def __init__(
        self,
        handler: Handler,
        registry: Registry,
        chunk: int | None,
        open_stream: Callable[[socket.socket, Any], Stream] = SocketStream,
    ) -> None:
        """``open_stream`` makes the stream over what accept(2) gave."""
        self._handler = handler
        self._registry = registry
        self._chunk = chunk or READ_SIZE
        self._open_stream = open_stream
        self._rate, self._told = AnswerRate(), OnceASecond()  # for datagrams
        self._threads: dict[int, threading.Thread] = {}
        self._ended: threading.Thread | None = None  # the last that has done; it has waited for those before it
        self._lock = threading.Lock()

    def start(self) -> None:
        """Nothing to start: threads come with connections."""

    def adopt(self, accepted: socket.socket, peer: Any) -> None:
        """Serve an admitted client. Where no thread can be had the client is turned away and told."""
        self.serve(self._open_stream(accepted, peer))

    def serve(self, stream: Stream) -> None:
        """As ``adopt``, for a stream that is open already."""
        connection = Connection(stream, self._registry.next_id())
        name = f"wirecat-{connection.id}"
        thread = threading.Thread(target=self._run, args=(connection,), name=name, daemon=True)
        with self._lock:
            self._threads[connection.id] = thread
        self._registry.add(connection, name, admitted=not hasattr(stream, "handshake"))
        try:
            _start_with_small_stack(thread)
        except RuntimeError as error:  # can't start new thread
            with self._lock:
                del self._threads[connection.id]
            connection.abort()  # or its close would wait for the client, and all others with it
            connection.close()
            self._registry.fail(connection, f"no thread to serve it: {error}", "")
            self._registry.remove(connection, "server", "no thread left")

    def cut(self, connection: ConnectionState, reason: str) -> None:
        """End a connection from outside; its thread sees the end and goes."""
        connection.cut(reason)

    def stop(self, timeout: float) -> bool:
        """Wait for the threads whose connections are over; False if one still runs after ``timeout`` seconds."""
        deadline = Deadline(timeout)
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
        if not self._shake_hands(connection):
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
            elif datagrams:
                drive_datagrams(connection, self._handler.call, self._rate, self._told, registry)
            else:
                _drive(connection, self._handler.call(), self._chunk)
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

    def _shake_hands(self, connection: Connection) -> bool:
        """A TLS handshake, where the stream has one; a client with whom it fails is turned away."""
        handshake = getattr(connection.stream, "handshake", None)
        if handshake is None:
            return True
        try:
            handshake()
        except BaseException as error:
            if not isinstance(error, WirecatError):
                self._registry.fail(connection, error, traceback.format_exc())
            reason = connection.cut_reason or f"no TLS: {getattr(error, 'message', error)}"
            connection.close()
            self._registry.remove(connection, "server", reason)
            self._thread_ends(connection.id)
            return False
        self._registry.admit(connection)
        return True

    def _thread_ends(self, id: int) -> None:
        """Wait for the thread that ended before this one: so one reference is enough to wait for all that have done."""
        with self._lock:
            self._threads.pop(id, None)
            previous, self._ended = self._ended, threading.current_thread()
        if previous is not None:
            previous.join()


def _drive(connection: Connection, responder: Responder, chunk: int) -> None:
    """A responder's whole life on one connection. Raises what the stream and the responder raise."""
    _answer(connection, responder.opened())
    if responder.streams:
        _stream(connection, responder)
        return
    if responder.finished:
        return
    stream = connection.stream
    receive_from: Callable[[int], bytes] = stream.receive
    send: Callable[[bytes], None] = stream.send
    if type(stream) is SocketStream:
        # Past the layers: each call more in this loop costs some 2 % of the requests per second.
        receive_from, send = stream.socket.recv, stream.socket.sendall
    receive = responder.receive
    while True:
        try:
            data = receive_from(chunk)
        except OSError as error:
            raise _broken(error, stream) from error
        if not data and (stream.ended or not stream.keeps_boundaries):  # else it is an empty datagram
            break
        connection.bytes_received += len(data)
        if connection.taps:
            out = connection.tapped(RECEIVED, data)
            if out or not data:  # else a tap keeps it to itself
                _answer(connection, receive(out))
        else:
            answer = receive(data)
            if type(answer) is bytes and (size := len(answer)) <= LARGEST_SEND:
                try:
                    send(answer)
                except OSError as error:
                    raise _broken(error, stream) from error
                connection.bytes_sent += size
            else:
                _answer(connection, answer)
                answer = None  # it may be a view of something that the responder goes on with
        if responder.finished:
            return
    if type(stream) is SocketStream:
        stream.ended = True
    connection.ended = True
    if connection.on_end is not None:
        connection.on_end()
    if connection.taps and (held := connection.tapped_end(RECEIVED)) and not responder.finished:
        _answer(connection, responder.receive(held))
    if not responder.finished:
        _answer(connection, responder.ended())


def _broken(error: OSError, stream: Stream) -> WirecatError:
    return error if isinstance(error, WirecatError) else broken(error, stream.peer)


def _answer(connection: Connection, answer: Any) -> None:
    """Send what a responder gave, in pieces that are counted as they go."""
    data = answer_bytes(answer)
    if data and connection.taps:
        data = connection.tapped(SENT, data)
    send = connection.stream.send
    for start in range(0, len(data), LARGEST_SEND):
        piece = data[start : start + LARGEST_SEND] if len(data) > LARGEST_SEND else data
        send(piece)
        connection.bytes_sent += len(piece)


def _stream(connection: Connection, responder: Responder) -> None:
    """An endless answer. A second thread reads what the client sends meanwhile: neither waits for the other."""
    failures: list[BaseException] = []
    reader = threading.Thread(
        target=_feed, args=(connection, responder, failures),
        name=f"wirecat-{connection.id}-reader", daemon=True,
    )  # fmt: skip
    reader.start()
    try:
        while not (responder.finished or failures) and (piece := answer_bytes(responder.more())):
            _answer(connection, piece)
        if not failures:
            connection.half_close()
            reader.join(LINGER)
    except WirecatError:
        if not failures:  # else it is but what the reader's end has brought about
            raise
    finally:
        connection.stream.abort()
        reader.join()
    if failures:
        raise failures[0]


def _feed(connection: Connection, responder: Responder, failures: list[BaseException]) -> None:
    """Give a streaming responder what the client sends; what that raises is for the sending thread to raise."""
    try:
        while (data := _received(connection)) is not None:
            if not responder.finished:
                _answer(connection, responder.receive(data))
    except BaseException as error:
        failures.append(error)
        connection.stream.abort()  # the sender may be waiting for the client


def _received(connection: Connection) -> bytes | None:
    """The next bytes; None also when the connection broke: the sending thread meets the same end, and tells it."""
    try:
        return connection.receive(READ_SIZE)
    except WirecatError:
        return None


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
                    break
            else:
                stream.abort()  # it sends on and on, and was given its time; its close would give it more
        except WirecatError:
            stream.abort()  # it has gone already, or is silent
    connection.close()
