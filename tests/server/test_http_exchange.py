"""One request through the proxy: its body on the way there, the answer on the way back, and what breaks on either."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import time

import pytest

from background import stays
from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, Served, eventually, everything, exactly, reset
from server.handlers.origin import PLAIN, Origin, ask, dechunked, fields, proxying, status
from wirecat.events import Closed


def test_an_answer_without_a_length_reaches_each_client_in_its_way() -> None:
    reply = b"HTTP/1.0 200 OK\r\n\r\n" + b"z" * 100_000
    with proxying(reply=reply) as (served, origin):
        old = ask(served, f"GET {origin.url}/ HTTP/1.0\r\n\r\n".encode())
        assert old.partition(b"\r\n\r\n")[2] == b"z" * 100_000 and b"chunked" not in old
        new = ask(served, f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        head, _, body = new.partition(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head and body.endswith(b"0\r\n\r\n")
        assert dechunked(body) == b"z" * 100_000


@pytest.mark.parametrize("code", [204, 304])
def test_an_answer_without_a_body(code: int) -> None:
    reply = b"HTTP/1.1 %d Fine\r\nX: y\r\n\r\n" % code
    with proxying(reply=reply) as (served, origin):
        answer = ask(served, f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        assert status(answer) == code and answer.endswith(b"\r\n\r\n")


def test_a_large_answer_to_a_slow_reader() -> None:
    data = os.urandom(1 << 20) * 20
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data
    with proxying(reply=reply) as (served, origin), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/1.0\r\n\r\n".encode())
        time.sleep(0.2)
        answer = everything(client)
        assert hashlib.sha256(answer.partition(b"\r\n\r\n")[2]).digest() == hashlib.sha256(data).digest()


def test_the_server_may_answer_before_the_body_has_come() -> None:
    def too_large(client: socket.socket, rest: bytes) -> None:
        client.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")

    with proxying(reply=too_large) as (served, origin), served.connect() as client:
        client.sendall(f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 100000000\r\n\r\nsome".encode())
        answer = everything(client)
        assert status(answer) == 413 and answer.endswith(b"no") and b"Connection: close" in answer


def test_a_client_that_waits_for_100_is_told_to_go_on() -> None:
    def serve(client: socket.socket, rest: bytes) -> None:
        assert rest == b""
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        origin.bodies.append(exactly(client, 4))
        client.sendall(PLAIN)

    with proxying(reply=serve) as (served, origin), served.connect() as client:
        request = f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        client.sendall(request.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        client.sendall(b"body")
        client.shutdown(socket.SHUT_WR)
        assert everything(client).endswith(b"hello")
        assert origin.bodies == [b"body"]


def test_several_requests_on_one_connection() -> None:
    with proxying() as (served, origin), served.connect() as client:
        for number in range(3):
            client.sendall(f"POST {origin.url}/{number} HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".encode())
            answer = b""
            while not answer.endswith(b"hello"):
                answer += client.recv(1000)
        client.sendall(f"GET {origin.url}/3 HTTP/1.1\r\n\r\nGET {origin.url}/4 HTTP/1.1\r\n\r\n".encode())
        client.shutdown(socket.SHUT_WR)
        assert everything(client).count(b"hello") == 2
        assert [head.split(b" ")[1] for head in origin.heads] == [b"/0", b"/1", b"/2", b"/3", b"/4"]
        assert len(served.events.of(Closed)) <= 1


@pytest.mark.parametrize("how", ["Connection: close\r\n", ""])
def test_the_client_may_want_one_answer_only(how: str) -> None:
    with proxying() as (served, origin):
        version = "1.1" if how else "1.0"
        request = f"GET {origin.url}/ HTTP/{version}\r\n{how}\r\n".encode()
        assert ask(served, request, end=False).endswith(b"hello")


@pytest.mark.parametrize("size", [0, 1, 5, 70_000, 3_000_000])
def test_post_with_a_length(size: int) -> None:
    data = os.urandom(size)
    with proxying() as (served, origin):
        request = f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode() + data
        assert ask(served, request).endswith(b"hello")
        assert origin.bodies == [data]
        assert ("Content-Length", str(size)) in fields(origin.heads[0])


def test_post_in_chunks() -> None:
    chunks = b"5;ext=1\r\nhello\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\nTrailer: dropped\r\n\r\n"
    with proxying() as (served, origin):
        request = f"POST {origin.url}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + chunks
        assert ask(served, request).endswith(b"hello")
        assert dechunked(origin.bodies[0]) == b"hello" + b"x" * 65536
        assert ("Transfer-Encoding", "chunked") in fields(origin.heads[0])
        assert b"Trailer" not in origin.bodies[0]


def test_post_that_comes_in_pieces() -> None:
    with proxying() as (served, origin):
        request = f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 6\r\n\r\nabcdef".encode()
        with served.connect() as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for place in range(len(request)):
                client.sendall(request[place : place + 1])
            client.shutdown(socket.SHUT_WR)
            assert everything(client).endswith(b"hello")
        assert origin.bodies == [b"abcdef"]


def test_a_request_that_hangs_can_be_cut() -> None:
    def never(client: socket.socket, rest: bytes) -> None:
        everything(client)

    with proxying(reply=never) as (served, origin), served.connect() as client:
        client.sendall(f"POST {origin.url}/ HTTP/1.1\r\nContent-Length: 10\r\n\r\nx".encode())
        served.wait_open()
        while not origin.heads:
            time.sleep(0.01)
        began = time.monotonic()
        assert served.server.stop(0) == 0
        assert time.monotonic() - began < 2
        assert served.events.wait(Closed).reason == "shutdown"


def test_a_broken_body_is_not_passed_on_as_a_whole_one() -> None:
    got: list[bytes] = []

    def serve(client: socket.socket, rest: bytes) -> None:
        with contextlib.suppress(ConnectionResetError):
            got.append(rest + everything(client))

    with proxying(reply=serve) as (served, origin):
        request = f"POST {origin.url}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n".encode()
        with served.connect() as client:
            client.sendall(request[:-10])
            while not origin.heads:
                time.sleep(0.01)
            client.sendall(request[-10:])
            assert status(everything(client)) == 400
    assert b"0\r\n\r\n" not in b"".join(got)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"hello",
        b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n",
        b"HTTP/1.1 2",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    ],
)
def test_a_server_that_talks_nonsense(reply: bytes) -> None:
    with proxying(reply=reply) as (served, origin):
        assert status(ask(served, f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())) == 502


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n" + b"x" * 0x20000 + b"\r\nxyz\r\n",
    ],
)
def test_an_answer_that_is_cut_short_is_not_made_whole(reply: bytes) -> None:
    with proxying(reply=reply) as (served, origin):
        answer = ask(served, f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode(), end=False)
        assert status(answer) == 200 and not answer.endswith(b"0\r\n\r\n")
        assert b"Content-Length: 5\r\n" not in answer


# A client that is lost


def stay_silent(client: socket.socket, rest: bytes) -> None:
    client.settimeout(PATIENCE)
    while client.recv(65536):
        pass


def lost(served: Served, client: socket.socket) -> None:
    """Reset, and see that the exchange is over."""
    reset(client)
    closed = served.events.wait(Closed)
    assert (closed.by, closed.reason) == ("peer", "reset")


REQUESTS = {
    "get": "GET {}/ HTTP/1.1\r\n\r\n",
    "pipelined": "GET {0}/ HTTP/1.1\r\n\r\nGET {0}/ HTTP/1.1\r\n\r\n",
    "body that does not come": "POST {}/ HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc",
    "100-continue": "POST {}/ HTTP/1.1\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    "chunked": "POST {}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
}


@pytest.mark.parametrize("request_text", REQUESTS.values(), ids=REQUESTS)
def test_client_resets_while_server_is_silent_exchange_ends(request_text: str) -> None:
    with proxying(reply=stay_silent) as (served, origin), served.connect() as client:
        client.sendall(request_text.format(origin.url).encode())
        eventually(lambda: origin.heads, "the server has the request")
        lost(served, client)


def test_client_resets_while_server_does_not_read_its_body_exchange_ends() -> None:
    over = threading.Event()
    with proxying(reply=lambda client, rest: over.wait(PATIENCE)) as (served, origin), served.connect() as client:
        client.sendall(f"PUT {origin.url}/ HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n".encode())
        client.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                client.sendall(bytes(1 << 20))
        lost(served, client)
        over.set()


def test_client_resets_while_response_has_stopped_in_the_middle_exchange_ends() -> None:
    def half(client: socket.socket, rest: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        stay_silent(client, rest)

    with proxying(reply=half) as (served, origin), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        assert client.recv(1000)
        lost(served, client)


def test_client_half_closes_after_its_get_still_gets_a_late_response() -> None:
    go = threading.Event()

    def late(client: socket.socket, rest: bytes) -> None:
        go.wait(PATIENCE)
        client.sendall(PLAIN)

    with proxying(reply=late) as (served, origin), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        client.shutdown(socket.SHUT_WR)
        eventually(lambda: origin.heads, "the server has the request")
        assert stays(lambda: not served.events.of(Closed))
        go.set()
        assert everything(client).endswith(b"hello")


def interim_without_end(client: socket.socket, rest: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            client.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_interim_responses_without_end_are_answered_502(version: str) -> None:
    with proxying(reply=interim_without_end) as (served, origin), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/{version}\r\n\r\n".encode())
        answer = everything(client)
        assert answer.count(b"102 Processing\r\n") == (0 if version == "1.0" else 100)
        assert b"502" in answer and b"100 interim responses" in answer


def test_server_resets_after_its_answer_slow_client_gets_all() -> None:
    data = bytes(300_000)

    def answer_and_reset(client: socket.socket, rest: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        reset(client)

    with Origin(answer_and_reset) as origin, proxying() as (served, _), served.connect() as client:
        client.sendall(f"GET {origin.url}/ HTTP/1.1\r\n\r\n".encode())
        client.shutdown(socket.SHUT_WR)
        answer = everything(client)
        assert status(answer) == 200
