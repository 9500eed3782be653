"""The reply handler: a template, in which {data} alone is replaced."""

from __future__ import annotations

import pytest

from server.clients import ask, everything, exactly, serving
from wirecat.server.handlers.reply import make


@pytest.mark.parametrize(
    ("template", "data", "answer"),
    [
        ("You told me: {data}", b"Hallo", b"You told me: Hallo"),
        ("{data}", b"\xff\xfe\0", b"\xff\xfe\0"),
        ("{data}{data}", b"x", b"xx"),
        ("<{data}>", b"{data}", b"<{data}>"),
        ("{{data}} {} {0} {name} } {", b"x", b"{x} {} {0} {name} } {"),
        ("%s %(data)s ${data} \\n", b"x", b"%s %(data)s $x \\n"),
        ("Grüße {data}", "ß".encode()[:1], "Grüße ".encode() + b"\xc3"),
        ("no place for it", b"x", b"no place for it"),
        ("a:b:{data}", b"", b"a:b:"),
    ],
)
def test_templates(template: str, data: bytes, answer: bytes) -> None:
    assert make(template)().receive(data) == answer


def test_the_exercises_clients_get_their_answer_without_a_newline(engine: str) -> None:
    with serving("reply:You told me: {data}", engine=engine) as served, served.connect() as client:
        for text in ("Hallo", "Grüße", "quit"):
            assert ask(client, text.encode()) == b"You told me: " + text.encode()


def test_in_pieces_of_thirty_as_the_exercises_server_reads(engine: str) -> None:
    """Each piece is answered by itself: that is what the exercise shows."""
    message = bytes(range(97, 123)) * 3  # 78 bytes
    with serving("reply:server got: {data}", engine=engine, chunk=30) as served, served.connect() as client:
        client.sendall(message)
        client.shutdown(1)
        pieces = [message[:30], message[30:60], message[60:]]
        assert everything(client) == b"".join(b"server got: " + piece for piece in pieces)


def test_bytes_that_are_no_text(engine: str) -> None:
    with serving("reply:[{data}]", engine=engine) as served, served.connect() as client:
        data = b"\xff\xc3\x28\0\x80\x1b[2J"
        client.sendall(data)
        assert exactly(client, len(data) + 2) == b"[" + data + b"]"


def test_lines(engine: str) -> None:
    with serving("reply:got {data}", engine=engine, framing="line") as served, served.connect() as client:
        client.sendall(b"one\n\r\ntwo")
        client.shutdown(1)
        assert everything(client) == b"got one\ngot \r\ngot two"
