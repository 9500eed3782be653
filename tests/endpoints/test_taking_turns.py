"""Tests of the stream on which several threads may send."""

from __future__ import annotations

import socket
import threading

from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.taking_turns import TakingTurns

SIZE = 300_000


def test_pieces_of_several_threads_stay_whole() -> None:
    one, other = socket.socketpair()
    stream = TakingTurns(SocketStream(one))
    threads = [threading.Thread(target=stream.send, args=(bytes([number]) * SIZE,)) for number in range(4)]
    for thread in threads:
        thread.start()
    data = b""
    while len(data) < 4 * SIZE:
        data += other.recv(1 << 16)
    for thread in threads:
        thread.join(10)
    assert all(len(set(data[start : start + SIZE])) == 1 for start in range(0, len(data), SIZE))
    stream.close()
    other.close()


def test_all_else_is_the_streams_own() -> None:
    one, other = socket.socketpair()
    inner = SocketStream(one)
    stream = TakingTurns(inner)
    assert (stream.fileno(), stream.can_half_close, stream.keeps_boundaries) == (inner.fileno(), True, False)
    assert (stream.peer, stream.local, stream.buffered) == (inner.peer, inner.local, False)
    stream.set_timeout(5)
    other.sendall(b"abc")
    buffer = bytearray(2)
    assert stream.receive_into(buffer) == 2
    assert stream.receive(10) == b"c"
    stream.half_close()
    assert other.recv(1) == b""
    other.close()
    assert stream.receive(10) == b""
    assert stream.ended
    stream.abort()
    stream.close()
