"""The peer that connects back: to the asker only, once, and not too often."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from reach.lab.namespaces import Host, require_namespaces
from wirecat.reach.peer_server import PeerServer, RateLimit
from wirecat.wire.reach_peer import request_line


@pytest.fixture
def host() -> Iterator[Host]:
    require_namespaces()
    made = Host("peer")
    made.ip("link set lo up")
    yield made
    made.close()


def ask(host: Host, port: int, question: bytes) -> bytes:
    """All that the peer says to a question, with an end behind it."""
    with host.connect("127.0.0.1", port) as connection:
        connection.sendall(question)
        said = b""
        while data := connection.recv(4096):
            said += data
        return said


def test_it_connects_to_the_asker_from_the_port_that_it_names(host: Host) -> None:
    told: list[tuple[str, int, str]] = []
    server = host.inside(lambda: PeerServer(0, lambda *what: told.append(what)))
    with server, host.listen(0, "127.0.0.1") as listener:
        port = listener.getsockname()[1]
        with host.connect("127.0.0.1", server.port) as connection:
            connection.sendall(request_line(port))
            came, address = listener.accept()
            with came, connection.makefile("rb") as lines:
                assert lines.readline() == b"FROM 127.0.0.1 %d\n" % address[1]
                assert lines.readline() == b"OPEN\n"
                connection.shutdown(socket.SHUT_WR)  # enough has been seen
                assert lines.readline() == b"DONE\n"
                assert came.recv(10) == b""
    assert told == [("127.0.0.1", port, "OPEN")]


def test_a_closed_port(host: Host) -> None:
    with host.inside(lambda: PeerServer(0)) as server:
        assert ask(host, server.port, request_line(9)).endswith(b"\nREFUSED\nDONE\n")


def test_who_asks_too_often_waits(host: Host) -> None:
    with host.inside(lambda: PeerServer(0)) as server:
        answers = [ask(host, server.port, request_line(9)) for _ in range(2)]
    assert answers[0].endswith(b"REFUSED\nDONE\n")
    assert answers[1] == b"BUSY\n" or answers[1].endswith(b"DONE\n"), "on a machine so slow that a second has passed"


@pytest.mark.parametrize("question", [b"GET / HTTP/1.1\r\n\r\n", b"WIRECAT-REACH 1 0\n", b"x" * 300])
def test_other_questions_get_no_answer(host: Host, question: bytes) -> None:
    with host.inside(lambda: PeerServer(0)) as server:
        with host.connect("127.0.0.1", server.port) as connection:
            connection.sendall(question)
            try:
                assert connection.recv(10) == b""
            except ConnectionResetError:
                pass  # what it did not read any more


def test_the_limit() -> None:
    limit = RateLimit()
    assert limit.allows("a", 10.0)
    assert not limit.allows("a", 10.5)
    assert not limit.allows("b", 10.1), "five a second from all"
    assert limit.allows("b", 10.3)
    assert limit.allows("a", 11.1)
    for number in range(3000):
        assert limit.allows(str(number), 100.0 + number)
    assert len(limit._last) <= 1001
