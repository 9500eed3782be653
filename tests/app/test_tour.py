"""The tour holds on a sound server, and says so where something is wrong: a leak, a wrong reply, a port that stays taken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import wirecat
from peers import Program, wirecat_command
from wirecat.app.tour import CLIENTS, MESSAGES, STEP_TIME, Step, tour
from wirecat.recording.reader import read

TEMPLATE = b"You told me: "
ANSWERS = """
import os, socket, subprocess, sys, threading
kept = []

def answer(connection):
    while (data := connection.receive()) is not None:
        connection.send(b"You told me: " + data)
"""


def answer(connection: wirecat.Connection) -> None:
    while (data := connection.receive()) is not None:
        connection.send(TEMPLATE + data)


def failed(result_steps: tuple[Step, ...]) -> list[int]:
    return [number for number, step in enumerate(result_steps, 1) if not step.held]


def test_every_step_holds_in_a_quarter_of_its_time() -> None:
    steps: list[Step] = []
    result = tour(on_step=steps.append)
    assert failed(result.steps) == []
    assert result.ok
    assert tuple(steps) == result.steps
    assert len(steps) == 6
    assert sum(step.seconds for step in steps) < 15


def test_a_handler_of_ones_own_passes_and_all_of_it_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "tour.pcapng"
    assert tour(handler=answer, record=path).ok
    recording = read(path)
    assert recording.complete
    assert recording.verb == "tour"
    # A talk, one client, three with a thread each, and the crowd.
    assert len(recording.connections) == 1 + 1 + 3 + CLIENTS
    assert {each.handler for each in recording.connections[5:]} == {"answer"}
    assert {each.closed_by for each in recording.connections} == {"client"}
    assert sum(each.client.chunks for each in recording.connections[5:]) == CLIENTS * MESSAGES
    assert any(len(table.rows) > 2 * CLIENTS for table in recording.snapshots) or not sys.platform.startswith("linux")


def test_a_wrong_reply_is_found() -> None:
    def wrong(connection: wirecat.Connection) -> None:
        while (data := connection.receive()) is not None:
            connection.send(TEMPLATE + data.replace(b"7", b"8"))

    result = tour(handler=wrong)
    assert failed(result.steps) == [4]
    assert "wrong" in result.steps[3].evidence[0]
    assert not result.ok


def test_a_thread_that_stays_is_found() -> None:
    go = threading.Event()

    def leaking(connection: wirecat.Connection) -> None:
        threading.Thread(target=go.wait, name="left-behind", daemon=True).start()
        answer(connection)

    try:
        result = tour(handler=leaking)
    finally:
        go.set()
    assert failed(result.steps) == [6]
    assert "200 threads are left: left-behind" in result.steps[5].evidence[0]


def test_a_handler_that_never_ends_is_found() -> None:
    go = threading.Event()

    def endless(connection: wirecat.Connection) -> None:
        answer(connection)
        go.wait()

    try:
        result = tour(handler=endless)
    finally:
        go.set()
        for thread in threading.enumerate():  # or their sockets would be there when the next test counts
            if thread.name.startswith("wirecat-"):
                thread.join(STEP_TIME)
    assert failed(result.steps) == [6]
    assert "200 handlers would not end" in result.steps[5].evidence[0]


def test_a_socket_that_stays_is_found() -> None:
    kept: list[socket.socket] = []

    def leaking(connection: wirecat.Connection) -> None:
        kept.append(socket.socket())
        answer(connection)

    try:
        result = tour(handler=leaking)
    finally:
        for each in kept:
            each.close()
    assert failed(result.steps) == [6]
    assert "200 sockets are left open" in result.steps[5].evidence[0]


@pytest.mark.skipif(os.name != "posix", reason="descriptors are handed on to a child by number")
def test_a_port_that_stays_taken_is_found() -> None:
    children: list[subprocess.Popen[bytes]] = []

    def serve_and_hold(*arguments: object, **options: object) -> wirecat.Server:
        server = wirecat.serve(*arguments, **options)  # type: ignore[arg-type]
        descriptor = server._listener.sockets[0].fileno()
        # A child that inherited the listening socket keeps the port, as a careless server's children do.
        children.append(
            subprocess.Popen(
                [sys.executable, "-c", "input()"],
                pass_fds=[descriptor],
                stdin=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        )
        return server

    try:
        result = tour(serve=serve_and_hold)
    finally:
        for child in children:
            child.communicate(b"\n", timeout=STEP_TIME)
    assert 6 in failed(result.steps)
    assert "could not be bound again: it is still taken" in result.steps[5].evidence[0]


SPOILT = {
    "leak": (
        """
def handler(connection):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    answer(connection)
""",
        b"threads are left",
    ),
    "wrong": (
        """
def handler(connection):
    connection.send(b"?")
    answer(connection)
""",
        b"wrong",
    ),
    "taken": (
        """
def handler(connection):
    if not kept:  # a child that inherits the listening socket keeps the port until its input ends
        number = next(fd for fd in map(int, os.listdir("/proc/self/fd")) if listens(fd))
        words = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        kept.append(subprocess.Popen(words, pass_fds=[number], stdin=subprocess.PIPE))
    answer(connection)

def listens(fd):
    try:
        copy = socket.socket(fileno=os.dup(fd))
    except OSError:
        return False
    with copy:
        try:
            return bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        except OSError:
            return False
""",
        b"could not be bound again",
    ),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="descriptors are found through /proc")
@pytest.mark.parametrize("fault", SPOILT)
def test_the_command_ends_with_1(tmp_path: Path, fault: str) -> None:
    source, says = SPOILT[fault]
    script = tmp_path / f"{fault}_handler.py"
    script.write_text(ANSWERS + source)
    # The spoilt handlers leave things open: that is what they are for.
    with Program(
        wirecat_command("tour", "--no-report", "--handler", f"{script}:handler"), check_warnings=False
    ) as program:
        assert program.wait(30) == 1
        assert says in program.stdout
        assert b"FAILED" in program.stdout


def test_the_command_ends_with_0() -> None:
    with Program(wirecat_command("tour", "--no-report")) as program:
        assert program.wait(30) == 0
        assert b"All 6 steps held" in program.stdout
        assert program.stderr == b""
