"""Connecting and closing, over and over: counts, latency, failures, and no socket left open."""

from __future__ import annotations

import os
import socket
import sys
import threading

import pytest

from swarm.servers import Scripted, echo, never_accepts, nobody_listens, reset
from wirecat.errors import UsageError
from wirecat.swarm.progress import SwarmProgress
from wirecat.swarm.swarm import swarm


def test_so_many_each(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 4, messages=5, connects=True)
    assert result.ok and (result.connects, result.connected, server.accepted) == (20, 4, 20)
    assert (result.messages_sent, result.replies, result.replies_ok) == (0, 0, None)
    assert result.connects_per_second == pytest.approx(20 / result.seconds)
    assert result.latency_us.p50 is not None and 0 < result.latency_us.p50 <= result.latency_us.max
    assert not server.broken


def test_for_a_time(loop_name: str) -> None:
    seen: list[SwarmProgress] = []
    with Scripted(echo) as server:
        result = swarm(server.address, 3, duration=0.5, connects=True, progress=seen.append)
        assert result.ok and result.connects == server.accepted > 3
    assert 0.5 <= result.seconds < 10
    assert {progress.phase for progress in seen} == {"knocking"}
    assert result.due is None


def test_at_a_rate(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 3, duration=0.5, rate=40, connects=True)
    assert result.ok and (result.connects, result.due, result.unsent) == (20, 20, 0)
    assert server.accepted == 20


def test_with_pauses(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 2, messages=3, think=0.1, connects=True)
        assert result.connects == 6 and result.seconds >= 0.2
        assert swarm(server.address, 2, duration=0.2, think=60, connects=True).seconds < 10


def test_refused(loop_name: str) -> None:
    with nobody_listens() as port:
        result = swarm(f"127.0.0.1:{port}", 3, messages=4, connects=True)
    assert (result.connects, result.connected, result.errors) == (0, 0, {"refused": 12})
    assert not result.ok and result.latency_us.max is None


def test_refusals_without_end_leave_the_clock_its_turn(loop_name: str) -> None:
    with nobody_listens() as port:
        result = swarm(f"127.0.0.1:{port}", 3, duration=0.2, connects=True)
    assert set(result.errors) == {"refused"} and result.failed > 3


def test_no_answer(loop_name: str) -> None:
    with never_accepts(backlog=0) as port, socket.create_connection(("127.0.0.1", port)):
        result = swarm(f"127.0.0.1:{port}", 2, messages=1, connects=True, timeout=0.2)
    assert result.errors == {"no_answer": 2}


def test_a_server_that_resets(loop_name: str) -> None:
    with Scripted(reset) as server:
        result = swarm(server.address, 2, messages=3, connects=True)
    # The reset may come before the client has so much as seen that it was connected.
    assert result.connects is not None and result.connects + result.failed >= 6
    assert set(result.errors) <= {"reset"}


def test_a_server_that_does_not_close(loop_name: str) -> None:
    released = threading.Event()
    with Scripted(lambda connection: released.wait(20)) as server:
        result = swarm(server.address, 2, messages=1, connects=True)
        released.set()
    assert (result.connects, result.left_open, result.ok) == (2, 2, True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc/self/fd")
def test_every_socket_is_closed(loop_name: str) -> None:
    def quarrel(progress: SwarmProgress) -> None:
        raise KeyError(progress.phase)

    with Scripted(echo) as server:
        swarm(server.address, 2, connects=True)
        before = len(os.listdir("/proc/self/fd"))
        swarm(server.address, 20, connects=True, rate=1000)
        with pytest.raises(KeyError, match="knocking"):
            swarm(f"localhost:{server.port}", 5, connects=True, progress=quarrel)
        assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize(
    "more", [{"message": "x"}, {"size": 3}, {"payload": b"x"}, {"expect": "echo"}, {"newline": "lf"}]
)
def test_nothing_is_sent_that_could_be_answered(more: dict) -> None:
    with pytest.raises(UsageError, match="connects and"):
        swarm(12345, 1, connects=True, **more)
