"""What a peer sends made safe for a terminal, and what we send left as it is."""

from __future__ import annotations

import socket

from leaks import nothing_left_behind as nothing_left_behind
from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.taps.printable import PrintableTap
from wirecat.taps.tap import RECEIVED, SENT


def test_it_alters_what_is_received_alone() -> None:
    tap = PrintableTap()
    assert tap.alters
    assert tap.chunk(1, RECEIVED, b"\x1b[2J", 0.0) == b"\\x1b[2J"
    assert tap.chunk(1, SENT, b"\x1b[2J", 0.0) == b"\x1b[2J"
    assert tap.finish(1, SENT) == b""


def test_a_character_split_between_pieces() -> None:
    tap = PrintableTap()
    euro = "€".encode()
    assert tap.chunk(1, RECEIVED, euro[:2], 0.0) == b""
    assert tap.chunk(1, RECEIVED, euro[2:], 0.0) == euro
    assert tap.chunk(1, RECEIVED, euro[:1], 0.0) == b""
    assert tap.finish(1, RECEIVED) == b"\\xe2"


def test_it_knows_whether_a_line_is_begun() -> None:
    tap = PrintableTap()
    assert tap.at_line_start
    tap.chunk(1, RECEIVED, b"text", 0.0)
    assert not tap.at_line_start
    tap.chunk(1, RECEIVED, b"\r\n", 0.0)
    assert tap.at_line_start
    tap.chunk(1, RECEIVED, b"\xc3", 0.0)
    assert tap.at_line_start
    tap.finish(1, RECEIVED)
    assert not tap.at_line_start


def test_on_a_connection_nothing_is_lost_at_the_end() -> None:
    ours, theirs = socket.socketpair()
    with theirs, Connection(SocketStream(ours)) as connection:
        connection.attach(PrintableTap())
        theirs.sendall(b"ok \x07\xc3")
        theirs.shutdown(socket.SHUT_WR)
        assert b"".join(iter(connection.receive, None)) == b"ok \\x07\\xc3"
