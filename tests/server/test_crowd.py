"""A thousand clients at once, and every reply right."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator

import pytest

from server.clients import serving
from wirecat.system.limits import raise_descriptor_limit

CLIENTS, MESSAGES = 1000, 5
LIMIT = 60.0


@pytest.fixture(autouse=True)
def enough_descriptors() -> Iterator[None]:
    """Both ends of every connection are in this process."""
    limit = raise_descriptor_limit()
    if limit is not None and limit < 2 * CLIENTS + 100:
        pytest.skip(f"{limit} open files are allowed, {2 * CLIENTS + 100} are needed")
    yield


class Client:
    """Sends its messages one by one, the next when the reply to the last is whole; any other byte is a failure."""

    def __init__(self, number: int, connected: socket.socket) -> None:
        self.socket = connected
        self.messages = [b"client %d says %d" % (number, turn) for turn in range(MESSAGES)]
        self.turn = 0
        self.got = b""

    def send(self) -> None:
        self.socket.sendall(self.messages[self.turn])

    def receive(self) -> bool:
        """Take what came; True once all replies were right."""
        piece = self.socket.recv(1000)
        assert piece, f"closed after {self.turn} replies and {self.got!r}"
        self.got += piece
        expected = b"You told me: " + self.messages[self.turn]
        assert expected.startswith(self.got), (expected, self.got)
        if self.got == expected:
            self.got = b""
            self.turn += 1
            if self.turn == MESSAGES:
                return True
            self.send()
        return False


def test_a_thousand_at_once_and_every_reply_right(engine: str) -> None:
    with serving("reply:You told me: {data}", engine=engine) as served, selectors.DefaultSelector() as selector:
        clients = []
        try:
            for number in range(CLIENTS):
                client = Client(number, served.connect())
                clients.append(client)
                selector.register(client.socket, selectors.EVENT_READ, client)
            served.wait_open(CLIENTS)
            assert len(served.server.connections) == CLIENTS
            for client in clients:
                client.send()
            left, deadline = CLIENTS, time.monotonic() + LIMIT
            while left:
                ready = selector.select(deadline - time.monotonic())
                assert ready, f"{left} clients still wait"
                for key, _ in ready:
                    if key.data.receive():
                        selector.unregister(key.fileobj)
                        left -= 1
            assert len(served.server.connections) == CLIENTS
        finally:
            for client in clients:
                client.socket.close()
        closed = served.wait_gone(CLIENTS)
        assert {(each.by, each.reason) for each in closed} == {("peer", "end")}
        assert sum(each.received for each in closed) == sum(len(m) for c in clients for m in c.messages)
        assert not served.failures
