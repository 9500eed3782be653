"""Tests of the tap that makes chunks wait."""

from __future__ import annotations

import asyncio
import threading
from time import monotonic

import pytest

import wirecat
from wirecat.errors import UsageError
from wirecat.taps.delay import DelayTap
from wirecat.taps.tap import RECEIVED, SENT


@pytest.mark.parametrize("direction", [SENT, RECEIVED])
def test_a_chunk_waits(direction: str) -> None:
    started = monotonic()
    assert DelayTap(0.1).chunk(1, direction, b"x", started) == b"x"
    assert monotonic() - started >= 0.1


def test_all_waiting_can_be_ended() -> None:
    tap = DelayTap(60)
    thread = threading.Thread(target=tap.chunk, args=(1, SENT, b"x", 0.0))
    thread.start()
    tap.release()
    thread.join(10)
    assert not thread.is_alive()
    assert tap.chunk(1, SENT, b"y", 0.0) == b"y"


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_what_is_no_delay(seconds: float) -> None:
    with pytest.raises(UsageError):
        DelayTap(seconds)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "udp://127.0.0.1:0"])
def test_where_one_thread_serves_all_connections_it_is_refused(address: str) -> None:
    """It would stall every client for its time."""
    engine = None if address.startswith("udp") else "async"
    with wirecat.serve("echo", address, engine=engine) as server:
        with pytest.raises(
            wirecat.UsageError, match="DelayTap waits at each chunk, .* one thread serves all connections"
        ):
            server.attach(DelayTap(1.0))
        with wirecat.connect(server.address) as client:
            client.timeout = 20.0
            client.send(b"x")
            assert client.receive() == b"x"


def test_an_asynchronous_connection_refuses_it() -> None:
    async def attach(address: wirecat.Address) -> None:
        async with await wirecat.connect_async(address) as connection:
            with pytest.raises(wirecat.UsageError, match="it would stall them all"):
                connection.attach(DelayTap(1.0))

    with wirecat.serve("echo", "127.0.0.1:0") as server:
        asyncio.run(attach(server.address))


def test_a_swarm_refuses_it() -> None:
    with wirecat.serve("echo", "127.0.0.1:0") as server, pytest.raises(wirecat.UsageError, match="stall them all"):
        wirecat.swarm(server.address, 2, tap=DelayTap(1.0))


def test_a_thread_for_each_connection_takes_it() -> None:
    with wirecat.serve("echo", "127.0.0.1:0", engine="threads") as server:
        server.attach(DelayTap(0.0))
        with wirecat.connect(server.address) as client:
            client.send(b"x")
            assert client.receive() == b"x"
