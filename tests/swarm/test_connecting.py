"""Connecting: several addresses, a steady rate, time limits, and failures by kind."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from swarm.servers import Scripted, echo, never_accepts, nobody_listens
from wirecat.swarm import connecting, interrupts
from wirecat.swarm.client import Client
from wirecat.swarm.connecting import connect_all
from wirecat.swarm.tally import Tally

V4, V6 = socket.AF_INET, socket.AF_INET6


def connect(count: int, candidates: list, *, rate: float = 2000.0, timeout: float = 5.0) -> Tally:
    """Connect so many clients, close them again, and return what was counted."""
    tally = Tally()

    async def run() -> None:
        open_ones = 0
        all_closed = asyncio.Event()

        def closed() -> None:
            nonlocal open_ones
            open_ones += 1
            if open_ones == tally.connected:
                all_closed.set()

        clients = [
            Client(
                number,
                limit=1,
                message_of=lambda number: b"x",
                reply_to=None,
                tally=tally,
                on_end=lambda: None,
                on_close=closed,
            )
            for number in range(1, count + 1)
        ]
        await connect_all(clients, candidates, first=None, rate=rate, timeout=timeout)
        for client in clients:
            client.stop()
            client.half_close()
        if tally.connected:
            await asyncio.wait_for(all_closed.wait(), 10)

    asyncio.run(run())
    return tally


def test_the_first_address_that_takes_it() -> None:
    with Scripted(echo) as server, nobody_listens() as refusing:
        tally = connect(20, [(V4, ("127.0.0.1", refusing)), (V4, ("127.0.0.1", server.port))])
    assert (tally.connected, tally.errors) == (20, {})
    assert server.accepted == 20
    assert not server.broken


def test_ipv6() -> None:
    with Scripted(echo, host="::1") as server:
        tally = connect(3, [(V4, ("127.0.0.1", server.port)), (V6, ("::1", server.port, 0, 0))])
    assert (tally.connected, tally.errors) == (3, {})


def test_refused() -> None:
    with nobody_listens() as port:
        tally = connect(5, [(V4, ("127.0.0.1", port)), (V6, ("::1", port, 0, 0))])
    assert (tally.connected, tally.errors) == (0, {"refused": 5})


def test_no_answer() -> None:
    with never_accepts(backlog=0) as port, socket.create_connection(("127.0.0.1", port)):
        # The queue of one is full now, and the kernel drops whatever else knocks.
        begun = time.monotonic()
        tally = connect(3, [(V4, ("127.0.0.1", port))], timeout=0.3)
        assert time.monotonic() - begun < 5
    assert (tally.connected, tally.errors) == (0, {"no_answer": 3})


def test_a_silent_address_leaves_time_for_the_next() -> None:
    with never_accepts(backlog=0) as silent, socket.create_connection(("127.0.0.1", silent)):
        with Scripted(echo) as server:
            places = [(V4, ("127.0.0.1", silent)), (V4, ("127.0.0.1", server.port))]
            tally = connect(2, places, timeout=1.0)
    assert (tally.connected, tally.errors) == (2, {})


def test_a_family_that_is_not_there() -> None:
    tally = connect(1, [(V6, ("100::1", 9, 0, 0))], timeout=0.3)  # a discard prefix (RFC 6666): leads nowhere
    assert tally.connected == 0
    assert set(tally.errors) <= {"unreachable", "no_ports", "no_answer"}


def test_the_rate_is_kept() -> None:
    with Scripted(echo) as server:
        begun = time.monotonic()
        tally = connect(41, [(V4, ("127.0.0.1", server.port))], rate=100)
        took = time.monotonic() - begun
    assert tally.connected == 41
    assert took >= 0.39


def test_a_connection_to_itself_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that happens to get the very port it connects to is joined to itself by the kernel."""
    with nobody_listens() as port:
        pass

    def bound(family: int, kind: int) -> socket.socket:
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        return made

    class Sockets:
        SOCK_STREAM = socket.SOCK_STREAM
        socket = staticmethod(bound)

    monkeypatch.setattr(connecting, "socket", Sockets)
    tally = connect(1, [(V4, ("127.0.0.1", port))])
    assert (tally.connected, tally.errors) == (0, {"refused": 1})


@pytest.mark.parametrize("turns", range(8))
def test_cancelled_at_any_moment_each_client_is_connected_or_is_not(loop_name: str, turns: int) -> None:
    """What Ctrl-C may fall into: a socket that is being handed to the event loop."""
    tally = Tally()

    async def run(port: int) -> None:
        closed = asyncio.Event()
        client = Client(
            1, limit=1, message_of=lambda number: b"x", reply_to=None, tally=tally, on_end=lambda: None,
            on_close=closed.set,
        )  # fmt: skip
        candidates = [(V4, ("127.0.0.1", port))]
        work = asyncio.ensure_future(connect_all([client], candidates, first=None, rate=2000, timeout=5))
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.wait((work,))
        assert client.ready == bool(tally.connected)
        client.stop()
        client.half_close()
        if tally.connected:
            await asyncio.wait_for(closed.wait(), 10)

    with Scripted(echo) as server, asyncio.Runner(loop_factory=interrupts.loop_factory()) as runner:
        runner.run(run(server.port))
    assert not tally.errors
