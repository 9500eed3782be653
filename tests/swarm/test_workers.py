"""Several processes: one crowd to the server, one result, and none of them left, whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator

import pytest

from peers import PATIENCE, Program
from swarm.servers import Scripted, SelectorEcho, echo, nobody_listens, pieces
from wirecat.errors import UsageError
from wirecat.swarm import workers as workers_module
from wirecat.swarm.progress import PHASES, SwarmProgress
from wirecat.swarm.swarm import swarm

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for children in /proc")
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


def children(pid: int) -> list[int]:
    """The children of a process, zombies among them."""
    found: list[int] = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{task}/children") as file:
            found += map(int, file.read().split())
    return found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen]]:
    """The processes that were started; at the end each of them has been seen to its end."""
    seen: list[subprocess.Popen] = []
    spawn = workers_module._spawn

    def watched(*arguments) -> subprocess.Popen:
        seen.append(spawn(*arguments))
        return seen[-1]

    monkeypatch.setattr(workers_module, "_spawn", watched)
    yield seen
    assert seen and all(process.returncode is not None for process in seen)


def test_one_crowd_and_one_result(started: list) -> None:
    heard: set[bytes] = set()

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            heard.add(data)
            connection.sendall(data)

    with Scripted(script) as server:
        result = swarm(server.address, 7, messages=3, workers=3, expect="echo")
    assert result.ok and len(started) == 3
    assert (result.clients, result.connected, result.messages_sent, result.replies_ok) == (7, 7, 21, 21)
    assert heard == {b"client %d says %d\n" % (client, n) for client in range(1, 8) for n in range(1, 4)}
    assert not server.broken
    assert result.latency_us.p50 is not None and result.latency_us.p50 <= result.latency_us.max
    assert result.lost == () and result.connect_seconds > 0 and result.started > 0


def test_a_thousand_in_two(started: list) -> None:
    with SelectorEcho() as server:
        result = swarm(f"127.0.0.1:{server.port}", 1000, messages=3, workers=2, expect="echo")
    assert result.ok and (result.connected, result.replies_ok, server.most) == (1000, 3000, 1000)


def test_all_of_all_are_connected_before_the_first_message() -> None:
    early: list[bytes] = []
    seen: list[SwarmProgress] = []
    everybody_is_there = threading.Event()

    def strict(connection: socket.socket) -> None:
        for data in pieces(connection):
            if not everybody_is_there.is_set():
                early.append(data)
            connection.sendall(data)

    def watch(progress: SwarmProgress) -> None:
        seen.append(progress)
        if progress.phase == "connected":
            assert server.accepted >= 1
            everybody_is_there.set()

    with Scripted(strict) as server:
        # Slowly, so that one worker's are there long before the other's.
        result = swarm(server.address, 9, workers=2, messages=2, connect_rate=20, expect="echo", progress=watch)
    assert result.ok and not early
    phases = [PHASES.index(progress.phase) for progress in seen]
    assert phases == sorted(phases)
    assert [progress.phase for progress in seen].count("connected") == 1
    there = next(progress for progress in seen if progress.phase == "connected")
    assert (there.clients, there.connected, there.sent) == (9, 9, 0)


def test_an_open_loop_in_two_has_the_times_of_one() -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 5, rate=100, duration=0.5, workers=2, expect="echo")
    assert result.ok and (result.due, result.replies_ok) == (50, 50)


def test_connects_in_two() -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 5, messages=4, connects=True, workers=2)
        assert result.ok and result.connects == server.accepted == 20


def test_a_payload_reaches_the_workers() -> None:
    data = bytes(range(256)) * 4000
    with Scripted(echo) as server:
        result = swarm(server.address, 2, messages=2, payload=data, workers=2, expect="echo")
    assert result.ok and result.replies_ok == 4


def test_wrong_replies_are_told_by_workers() -> None:
    with Scripted(
        lambda connection: [connection.sendall(data.upper()) for data in pieces(connection)] and None
    ) as server:
        result = swarm(server.address, 2, messages=1, workers=2, expect="echo")
    assert result.replies_wrong == 2 and result.first_wrong is not None
    assert result.first_wrong.got.startswith(b"CLIENT")


def test_a_bare_port_with_two_addresses() -> None:
    with Scripted(echo, host="::1") as server:
        result = swarm(server.port, 4, messages=2, workers=2, expect="echo")
        assert result.ok and server.accepted == 4  # the scout's connection is the first client's


def test_nobody_is_there(started: list) -> None:
    with nobody_listens() as port:
        result = swarm(port, 5, workers=2)
    assert (result.connected, result.errors, result.lost) == (0, {"refused": 5}, ())


def test_more_workers_than_clients() -> None:
    with pytest.raises(UsageError, match="3 workers"):
        swarm(12345, 2, workers=3)


@unix_only
def test_a_worker_that_dies_is_told_and_the_others_go_on(started: list) -> None:
    killed = threading.Event()

    def watch(progress: SwarmProgress) -> None:
        if progress.phase == "talking" and progress.replies and not killed.is_set():
            killed.set()
            started[0].kill()

    with Scripted(echo) as server:
        result = swarm(server.address, 7, duration=1.5, workers=2, expect="echo", progress=watch)
    assert killed.is_set() and not result.ok
    assert result.errors == {"worker_died": 3}
    assert len(result.lost) == 1 and "clients 1 to 3" in result.lost[0] and "SIGKILL" in result.lost[0]
    assert result.connected == 4 and result.replies_ok > 4


@unix_only
def test_a_worker_that_dies_while_all_connect(started: list) -> None:
    killed = threading.Event()

    def watch(progress: SwarmProgress) -> None:
        if progress.phase == "connecting" and not killed.is_set():
            killed.set()
            started[1].kill()

    with Scripted(echo) as server:
        result = swarm(server.address, 6, messages=2, workers=2, connect_rate=10, expect="echo", progress=watch)
    assert killed.is_set()
    assert result.errors == {"worker_died": 3} and result.replies_ok == 6


def test_a_fault_of_its_own_is_not_swallowed(started: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "VERSION", 99)
    with Scripted(echo) as server, pytest.raises(RuntimeError, match="version 99"):
        swarm(server.address, 2, workers=2)


def test_one_that_cannot_even_start_says_why(started: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_module, "_START", "raise SystemExit('no such thing')")
    with Scripted(echo) as server:
        result = swarm(server.address, 2, workers=2)
    assert result.errors == {"worker_died": 2}
    assert all("exit code 1: no such thing" in text for text in result.lost)


def test_an_error_of_the_watcher_leaves_no_process(started: list) -> None:
    def watch(progress: SwarmProgress) -> None:
        raise KeyError(progress.phase)

    with Scripted(echo) as server, pytest.raises(KeyError):
        swarm(server.address, 4, workers=2, progress=watch)


PROGRAM = """
    import os, sys
    from wirecat.swarm.swarm import swarm
    def watch(progress):
        if progress.phase == "talking" and progress.replies:
            os.write(1, b"now\\n")
    result = swarm(sys.argv[1], 6, duration=60, workers=2, expect="echo", progress=watch)
    print(result.interrupted, result.ok, result.connected, result.errors, result.lost, result.replies_ok > 0)
"""


def program(address: str) -> Program:
    return Program([sys.executable, "-c", textwrap.dedent(PROGRAM), address])


@unix_only
def test_ctrl_c_ends_all_and_gives_the_result_so_far() -> None:
    with Scripted(echo) as server, program(server.address) as run:
        run.wait_for("stdout", b"now")
        run.interrupt()
        assert run.wait() == 0
        assert run.stdout.splitlines()[-1] == b"True False 6 {} () True"
        assert run.stderr == b""
    assert not server.broken


@linux_only
def test_ctrl_c_of_a_terminal_reaches_the_workers_too_and_does_not_hurt_them() -> None:
    with Scripted(echo) as server, program(server.address) as run:
        run.wait_for("stdout", b"now")
        for pid in [*children(run.pid), run.pid]:
            os.kill(pid, signal.SIGINT)
        assert run.wait() == 0
        assert run.stdout.splitlines()[-1] == b"True False 6 {} () True"


@linux_only
def test_workers_whose_starter_is_gone_end_by_themselves() -> None:
    with Scripted(echo) as server, program(server.address) as run:
        run.wait_for("stdout", b"now")
        workers = children(run.pid)
        assert len(workers) == 2
        descriptors = [os.pidfd_open(pid) for pid in workers]
        run.signal(signal.SIGKILL)
        run.wait()
        import select

        for descriptor in descriptors:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            assert poll.poll(PATIENCE * 1000), "a worker still runs"
            os.close(descriptor)


@linux_only
def test_the_second_ctrl_c_cuts_and_leaves_no_process() -> None:
    with Scripted(echo) as server, program(server.address) as run:
        run.wait_for("stdout", b"now")
        workers = children(run.pid)
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)  # they cannot obey
        run.interrupt()
        threading.Event().wait(1.0)  # two signals at once would be one; the grace is longer than this
        run.interrupt()
        assert run.wait() != 0
        assert b"KeyboardInterrupt" in run.stderr
        for pid in workers:
            assert not os.path.exists(f"/proc/{pid}")
