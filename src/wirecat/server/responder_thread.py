"""A responder in a thread of its own: reads, has it answer, and sends, until the client's end.

A client that writes without end and reads nothing stops this thread: the answer fills the kernel's buffers, the send
waits, and nothing more is read until the client reads.
"""

from __future__ import annotations

import threading

from wirecat.endpoints.failures import broken
from wirecat.endpoints.socket_stream import LINGER, SocketStream
from wirecat.errors import WirecatError
from wirecat.server.responder import answer_bytes
from wirecat.system.scheduling import scatter
from wirecat.taps.tap import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.connection import Connection
    from wirecat.server.responder import Responder
    from wirecat.stream import Stream

READ_SIZE = 16384
LARGEST_SEND = 1 << 18  # bytes handed to the kernel at once, so that a slow reader's progress is seen in the counter


def drive(connection: Connection, responder: Responder, chunk: int, processors: set[int] | None = None) -> None:
    """A responder's whole life on one connection. Raises what the stream and the responder raise.

    ``chunk``: bytes read at a time. ``processors``: those that this thread may have once its pieces are large, where it
    has been gathered on one with others (see ``system.scheduling``): the kernel's copying goes on beside the others' work.
    """
    _answer(connection, responder.opened())
    if responder.streams:
        if processors is not None:
            scatter(processors)
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
        connection.bytes_received += (size := len(data))
        if size >= READ_SIZE and processors is not None:
            scatter(processors)
            processors = None
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
