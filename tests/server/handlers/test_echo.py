"""The echo handler: what comes goes back, byte for byte."""

from __future__ import annotations

import threading

from server.clients import ask, everything, exactly, serving
from wirecat.server.handlers.echo import Echo, make


def test_alone() -> None:
    responder = make("")()
    assert isinstance(responder, Echo)
    assert responder.receive(b"\xff\0") == b"\xff\0"
    assert responder.opened() is responder.ended() is None


def test_every_byte_comes_back(engine: str) -> None:
    data = bytes(range(256))
    with serving("echo", engine=engine) as served, served.connect() as client:
        client.sendall(data)
        assert exactly(client, 256) == data
        for byte in range(256):
            assert ask(client, bytes([byte])) == bytes([byte])


def test_much_comes_back_whole(engine: str) -> None:
    data = bytes(range(256)) * 40_000
    with serving("echo", engine=engine) as served, served.connect() as client:

        def send() -> None:
            client.sendall(data)
            client.shutdown(1)

        sending = threading.Thread(target=send)
        sending.start()
        assert everything(client) == data
        sending.join()


def test_whole_lines(engine: str) -> None:
    with serving("echo", engine=engine, framing="line") as served, served.connect() as client:
        client.sendall(b"on")
        client.sendall(b"e\r\ntwo\nthr")
        assert exactly(client, 9) == b"one\r\ntwo\n"
        client.sendall(b"ee")
        client.shutdown(1)
        assert everything(client) == b"three"


def test_a_line_without_end_is_refused_and_those_before_it_answered(engine: str) -> None:
    with serving("echo", engine=engine, framing="line") as served, served.connect() as client:
        client.sendall(b"one\n" + b"x" * 70_000)
        assert everything(client) == b"one\n"
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "handler error")
        assert "LineTooLong" in served.failures[0].error
