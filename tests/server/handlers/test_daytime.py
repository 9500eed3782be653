"""The daytime handler: one line with the date and time, then the end."""

from __future__ import annotations

import datetime
import re

from server.clients import everything, serving
from wirecat.server.handlers.daytime import make


def test_the_line() -> None:
    responder = make("")()
    assert not responder.finished
    line = responder.opened()
    assert responder.finished
    assert line is not None and line.endswith(b"\r\n")
    text = line.decode("ascii").strip()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", text)
    off = abs((datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(text)).total_seconds())
    assert off < 5
    assert responder.receive(b"what a client says all the same") is None


def test_then_the_end(engine: str) -> None:
    with serving("daytime", engine=engine) as served, served.connect() as client:
        line = everything(client)
        assert line.count(b"\n") == 1 and line.endswith(b"\r\n")
        client.close()
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.sent) == ("server", "end", len(line))


def test_what_the_client_said_unasked_costs_it_nothing(engine: str) -> None:
    """It is still unread when the server ends; a plain close would reset, and take the line back."""
    with serving("daytime", engine=engine) as served:
        for _ in range(30):
            with served.connect() as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert everything(client).endswith(b"\r\n")
