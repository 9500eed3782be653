"""Newlines translated on what is sent, and on that alone."""

from __future__ import annotations

import socket

import pytest

from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything
from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import UsageError
from wirecat.taps.newline import NewlineTap
from wirecat.taps.tap import RECEIVED, SENT


def test_it_alters_what_is_sent_alone() -> None:
    tap = NewlineTap("crlf")
    assert tap.alters
    assert tap.chunk(1, SENT, b"a\n", 0.0) == b"a\r\n"
    assert tap.chunk(1, RECEIVED, b"a\n", 0.0) == b"a\n"
    assert tap.finish(1, RECEIVED) == b""
    with pytest.raises(UsageError):
        NewlineTap("cr")


@pytest.mark.parametrize(
    ("newline", "sent"), [("lf", b"one\ntwo\r\n\r"), ("crlf", b"one\r\ntwo\r\n\r"), ("none", b"onetwo\r")]
)
@pytest.mark.parametrize("orderly", [True, False], ids=["half-close", "close"])
def test_on_a_connection(newline: str, sent: bytes, orderly: bool) -> None:
    """The last CR is held back while it may be half of a line's end; it goes out in the end."""
    ours, theirs = socket.socketpair()
    with theirs, Connection(SocketStream(ours)) as connection:
        connection.attach(NewlineTap(newline))
        for piece in (b"one\n", b"two\r", b"\n\r"):
            connection.send(piece)
        if orderly:
            connection.half_close()
        else:
            connection.close()
        assert everything(theirs) == sent
