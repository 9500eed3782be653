"""A server's taps do not see the credentials that clients send to a handler of that kind."""

from __future__ import annotations

import pytest

import wirecat
from wirecat.server.credential_handler import CredentialHandler
from wirecat.server.handler import load_handler
from wirecat.server.handlers.proxy import Proxy
from wirecat.taps.tap import RECEIVED, Tap

FIELD = b"Proxy-Authorization: Basic abc\r\n"


class Noting(Tap):
    def __init__(self) -> None:
        self.seen = b""
        self.left: list[int] = []

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.seen += data if direction == RECEIVED else b""
        return None

    def detached(self, connection: wirecat.Connection) -> None:
        self.left.append(connection.id)


class Lines(CredentialHandler):
    def __call__(self, connection: wirecat.Connection) -> None:
        for text in connection.lines():
            connection.send_line(text)


def plain(connection: wirecat.Connection) -> None:
    Lines()(connection)


@pytest.mark.parametrize(("handler", "seen"), [(Lines(), FIELD.replace(b"Basic abc", b"***** ***")), (plain, FIELD)])
def test_attach_masks_for_handlers_that_hear_credentials(handler: object, seen: bytes) -> None:
    tap = Noting()
    with wirecat.serve(handler, "127.0.0.1:0") as server:  # type: ignore[arg-type]
        server.attach(tap)
        with wirecat.connect(server.address) as connection:
            connection.send(FIELD)
            assert connection.receive_line() == FIELD.strip().decode()
            assert tap.seen == seen
            server.detach(tap)
            assert tap.left == [1]
            connection.send(b"unseen\n")
            assert connection.receive_line() == "unseen"
    assert tap.seen == seen


def test_proxies_hear_credentials() -> None:
    assert load_handler("proxy").credentials and load_handler("proxy:me:word").credentials
    assert load_handler(Proxy()).credentials
    assert not load_handler("echo").credentials
