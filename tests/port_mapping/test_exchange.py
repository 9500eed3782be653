"""Questions within a deadline, to peers on loopback that answer, lie, stall and close."""

from __future__ import annotations

import socket
import threading

import pytest

from wirecat.deadline import Deadline
from wirecat.errors import HttpError
from wirecat.port_mapping.exchange import Closed, ask_by_datagram, exchange_http, socket_address
from wirecat.wire.igd import Url


def read(data: bytes) -> bytes | None:
    if data == b"lie":
        raise ValueError("no answer")
    return data if data != b"other" else None


def test_a_datagram_is_asked_again_and_lies_are_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as router:
        router.bind(("127.0.0.1", 0))
        router.settimeout(20)

        def serve() -> None:
            router.recv(100)  # the first question is lost
            _, asker = router.recvfrom(100)
            for answer in (b"lie", b"other", b"yes"):
                router.sendto(answer, asker)

        thread = threading.Thread(target=serve)
        thread.start()
        assert ask_by_datagram(*router.getsockname(), b"?", read, Deadline(20)) == b"yes"
        thread.join()


def test_silence_and_a_closed_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as router:
        router.bind(("127.0.0.1", 0))
        place = router.getsockname()
        assert ask_by_datagram(*place, b"?", read, Deadline(0.4)) is None
    with pytest.raises(Closed):
        ask_by_datagram(*place, b"?", read, Deadline(20))


def serve_once(answer: bytes) -> tuple[Url, threading.Thread]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(answer)
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    return Url("127.0.0.1", listener.getsockname()[1], "/"), thread


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.0 200 OK\r\n\r\nhi",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
)  # fmt: skip
def test_an_exchange(answer: bytes) -> None:
    url, thread = serve_once(answer)
    answered = exchange_http(url, "GET", [("Host", url.authority)], b"", Deadline(20))
    assert (answered.status, answered.body, answered.oddities) == (200, b"hi", [])
    thread.join()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Le",
                                    b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000])  # fmt: skip
def test_what_is_no_answer(answer: bytes) -> None:
    url, thread = serve_once(answer)
    with pytest.raises(HttpError):
        exchange_http(url, "GET", [], b"", Deadline(20))
    thread.join()


def test_a_deadline_for_all_of_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = Url("127.0.0.1", listener.getsockname()[1], "/")
        with pytest.raises(TimeoutError):
            exchange_http(url, "GET", [], b"", Deadline(0.2))


def test_scopes() -> None:
    assert socket_address("127.0.0.1", 1) == ("127.0.0.1", 1)
    assert socket_address("fe80::1%7", 1) == ("fe80::1", 1, 0, 7)
    assert socket_address("::1", 1) == ("::1", 1, 0, 0)
