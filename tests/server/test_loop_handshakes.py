"""Handshakes on an event loop: they leave time for the clients that are served. (The rest: test_tls_transport.py.)"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

from server.clients import eventually
from server.test_tls_transport import ADDRESS, HELLO, serving, trusting
from wirecat.endpoints import tls
from wirecat.events import Denied, Opened, Publisher
from wirecat.server.handshakes import Handshakes
from wirecat.server.loop_handshakes import SLICE, LoopHandshakes
from wirecat.server.registry import Registry


class Slow:
    """What takes 4 ms of a slice to compute, by a clock of the test's."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.computed = 0

    def compute(self) -> None:
        self.computed += 1
        self.clock[0] += SLICE * 0.4


def test_others_have_their_turn_between_slices_of_handshakes() -> None:
    clock = [0.0]
    order: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        listener: Any = tls.TlsListener(tls.tcp.open_listener(tls_address(), 1), tls.server_context)
        handshakes = LoopHandshakes(
            listener, Handshakes(10), Registry(Publisher(), 10), lambda protocol: True, loop, clock=lambda: clock[0]
        )
        slow: list[Any] = [Slow(clock) for _ in range(9)]
        for each in slow:
            handshakes.schedule(each)
        counts = []
        for _ in range(4):
            await asyncio.sleep(0)
            counts.append(sum(each.computed for each in slow))
        assert counts[:3] == [3, 6, 9], counts
        order.append("done")
        listener.close()

    asyncio.run(run())
    assert order == ["done"]


def tls_address() -> Any:
    from wirecat.address import Address

    return Address.parse("127.0.0.1:0")


def test_all_of_a_conversation_in_one_burst_is_served(loop: str) -> None:
    """The last of the handshake, data and the end may be read together."""
    with serving("echo", ADDRESS, engine="async") as served, served.connect() as client:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = trusting().wrap_bio(incoming, outgoing)
        while True:
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(65536))
        secured.write(b"whole")
        client.sendall(outgoing.read())
        client.shutdown(socket.SHUT_WR)
        while piece := client.recv(65536):
            incoming.write(piece)
        assert secured.read(100) == b"whole"


def test_hello_with_an_end_behind_it_is_turned_away(loop: str) -> None:
    with serving("echo", ADDRESS, engine="async") as served, served.connect() as client:
        client.sendall(HELLO)
        client.shutdown(socket.SHUT_WR)
        assert "ended the connection" in served.events.wait(Denied).reason
        assert not served.events.of(Opened)
        eventually(lambda: not served.server._handshakes.count, "it is in no table")  # type: ignore[union-attr]
