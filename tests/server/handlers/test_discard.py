"""The discard handler: takes everything, answers nothing, ends with its client."""

from __future__ import annotations

from server.clients import everything, serving
from wirecat.server.handlers.discard import make


def test_alone() -> None:
    responder = make("")()
    assert responder.receive(b"x") is responder.ended() is None


def test_everything_is_taken(engine: str) -> None:
    size = 10_000_000
    with serving("discard", engine=engine) as served, served.connect() as client:
        client.sendall(b"x" * size)
        client.shutdown(1)
        assert everything(client) == b""
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", size, 0)
