"""A stream over another one has its names, and is watched as that is."""

from __future__ import annotations

import socket

from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import reset
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.wrapped_stream import WrappedStream
from wirecat.errors import ConnectionBroken


def test_wrapped_stream_passes_on_names_and_loss() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        inner = SocketStream(*server.accept())
    wrapped = WrappedStream(inner)
    assert (wrapped.peer, wrapped.local) == (inner.peer, inner.local)
    assert wrapped.loss_descriptor == inner.fileno()
    assert wrapped.loss() is None
    reset(peer)
    while wrapped.loss() is None:
        pass
    assert isinstance(wrapped.loss(), ConnectionBroken)
    inner.close()
