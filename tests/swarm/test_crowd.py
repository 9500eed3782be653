"""The life of a crowd: all connected before the first message, all closed in an orderly way, whatever ends it."""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading

import pytest

from swarm.servers import PATIENCE, Scripted, answering, echo, nobody_listens, pieces, silent
from wirecat.swarm.client import Client
from wirecat.swarm.progress import SwarmProgress
from wirecat.swarm.swarm import swarm

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc/self/fd")


def open_descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_all_are_connected_before_the_first_message(loop_name: str) -> None:
    seen: list[SwarmProgress] = []
    early: list[bytes] = []
    everybody_is_there = threading.Event()

    def strict(connection: socket.socket) -> None:
        for data in pieces(connection):
            if not everybody_is_there.is_set():
                early.append(data)
            connection.sendall(data)

    def watch(progress: SwarmProgress) -> None:
        seen.append(progress)
        if progress.phase == "connected":
            everybody_is_there.set()

    with Scripted(strict) as server:
        result = swarm(server.address, 50, expect="echo", progress=watch)
    assert result.ok and not early
    assert server.accepted == 50
    phases = [progress.phase for progress in seen]
    assert phases[0] == "connecting" and phases[-1] == "closing"
    assert phases.count("connected") == phases.count("closing") == 1
    assert phases.index("connected") < phases.index("talking")
    there = seen[phases.index("connected")]
    assert (there.connected, there.failed, there.sent) == (50, 0, 0)
    assert (seen[-1].sent, seen[-1].replies, seen[-1].wrong) == (500, 500, 0)


def test_all_stay_connected_until_the_last_reply(loop_name: str) -> None:
    """The first client waits for its reply while all others have had theirs, and nobody has gone by then."""
    answered, gone = threading.Semaphore(0), threading.Event()
    gone_early: list[bool] = []

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            if data.startswith(b"client 1 "):
                assert all(answered.acquire(timeout=PATIENCE) for _ in range(9))
                gone_early.append(gone.wait(0.3))
            connection.sendall(data)
            answered.release()
        gone.set()

    with Scripted(script) as server:
        result = swarm(server.address, 10, messages=1, expect="echo")
    assert result.ok
    assert gone_early == [False]


def test_no_connection_is_reset(loop_name: str) -> None:
    with Scripted(answering(lambda data: data + b"more than was asked for")) as server:
        result = swarm(server.address, 30, messages=2, expect="echo")
    assert result.replies_wrong == 60
    assert not server.broken


@pytest.mark.parametrize("expect", ["echo", None])
def test_what_the_server_still_has_to_say_is_heard(loop_name: str, expect: str | None) -> None:
    """A client that gave up closes its own half alone: a reset would cost the server what it sends then."""

    def script(connection: socket.socket) -> None:
        silent(connection)
        for _ in range(20):  # on a connection that is gone, the second would break
            connection.sendall(b"late" * 1000)

    with Scripted(script) as server:
        result = swarm(server.address, 10, expect=expect, reply_timeout=0.2)
    assert result.errors == {"reply_timeout": 10} and not result.replies
    assert not server.broken and result.left_open == 0


def test_a_server_that_does_not_notice_the_end(loop_name: str) -> None:
    released = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(connection.recv(100))
        assert released.wait(PATIENCE)

    with Scripted(script) as server:
        result = swarm(server.address, 4, messages=1, expect="echo")
        released.set()
    assert result.ok
    assert result.left_open == 4


@linux_only
@pytest.mark.parametrize("script", [echo, silent, lambda connection: None], ids=["echo", "silent", "gone"])
def test_every_socket_is_closed(loop_name: str, script) -> None:
    with Scripted(echo) as server:
        swarm(server.address, 1)
    before = open_descriptors()
    with Scripted(script) as server:
        swarm(server.address, 20, messages=1, reply_timeout=0.2)
    assert open_descriptors() == before
    with nobody_listens() as port:
        swarm(port, 20)
    assert open_descriptors() == before


@linux_only
@pytest.mark.parametrize("phase", ["connecting", "connected", "talking", "closing"])
def test_an_error_of_the_watcher_comes_out_and_leaves_nothing_open(loop_name: str, phase: str) -> None:
    def watch(progress: SwarmProgress) -> None:
        if progress.phase == phase:
            raise KeyError(phase)

    with Scripted(echo) as server:
        swarm(server.address, 1)
        before = open_descriptors()
        with pytest.raises(KeyError, match=phase):
            swarm(f"localhost:{server.port}", 20, progress=watch)
    assert open_descriptors() <= before


def test_a_fault_of_its_own_is_not_swallowed(loop_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Client, data: bytes) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(Client, "_gather", broken)
    with Scripted(answering(lambda data: b"no")) as server:
        with pytest.raises(ZeroDivisionError, match="a fault"):
            swarm(server.address, 3, expect="echo")


def test_progress_is_told_at_most_five_times_a_second(loop_name: str) -> None:
    seen: list[SwarmProgress] = []
    with Scripted(echo) as server:
        result = swarm(server.address, 2, duration=1.1, expect="echo", progress=seen.append)
    talking = [progress for progress in seen if progress.phase == "talking"]
    assert result.ok
    assert 2 <= len(talking) <= 7
    assert talking[-1].rate > 0
    assert [progress.replies for progress in talking] == sorted(progress.replies for progress in talking)
