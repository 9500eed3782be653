"""Clients that think: the pause is kept, latency does not count it, and the end is not waited for."""

from __future__ import annotations

import itertools
import socket
import threading
import time

from swarm.servers import Scripted, echo, pieces
from wirecat.swarm.swarm import swarm


def test_each_pauses_between_a_reply_and_the_next_message(loop_name: str) -> None:
    heard: dict[bytes, list[float]] = {}
    lock = threading.Lock()

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            with lock:
                heard.setdefault(data.split()[1], []).append(time.monotonic())
            connection.sendall(data)

    with Scripted(script) as server:
        result = swarm(server.address, 4, messages=3, think=0.2, expect="echo")
    assert result.ok and result.replies_ok == 12
    pauses = [later - sooner for times in heard.values() for sooner, later in itertools.pairwise(times)]
    assert len(pauses) == 8 and min(pauses) > 0.15
    firsts = sorted(times[0] for times in heard.values())
    assert firsts[-1] - firsts[0] > 0.1  # spread over the first pause, so that they do not stay in step
    assert result.seconds > 0.5
    assert result.latency_us.p50 is not None and result.latency_us.p50 < 190_000


def test_the_end_of_the_time_ends_a_pause(loop_name: str) -> None:
    with Scripted(echo) as server:
        begun = time.monotonic()
        result = swarm(server.address, 3, duration=0.3, think=30, expect="echo")
    assert result.ok
    assert result.messages_sent == 1  # the others would have begun after 10 and 20 s
    assert time.monotonic() - begun < 10


def test_what_comes_in_a_pause_makes_the_last_reply_wrong(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            connection.sendall(data)
            threading.Event().wait(0.05)
            connection.sendall(b"!")

    with Scripted(script) as server:
        result = swarm(server.address, 2, messages=2, think=0.3, expect="echo")
    assert (result.replies, result.replies_wrong) == (4, 4)
    assert result.first_wrong is not None and result.first_wrong.got.endswith(b"\n!")


def test_a_server_that_goes_while_they_think(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(connection.recv(100))

    with Scripted(script) as server:
        result = swarm(server.address, 2, messages=2, think=0.3, expect="echo")
    assert result.errors == {"closed_early": 2} and result.replies_ok == 2
