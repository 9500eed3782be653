"""``wirecat serve --workers``: the log, the events, signals, and what becomes of workers whose supervisor is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from peers import PATIENCE, Program, environment, wirecat, wirecat_command
from server.clients import ask, connect, eventually, everything

pytestmark = [
    pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports are not shared here"),
    pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX"),
]

HERE = "127.0.0.1:0"


def port_of(program: Program) -> int:
    return int(program.wait_for("stderr", rb"listening on .*?127\.0\.0\.1:(\d+)")[1])


@pytest.fixture
def who(tmp_path: Path) -> str:
    """A user's handler, in a file."""
    path = tmp_path / "handlers.py"
    path.write_text(
        "import os\n\ndef who(connection):\n    connection.send_line(str(os.getpid()))\n    connection.receive()\n"
    )
    return f"{path}:who"


def gone(pid: int) -> bool:
    """Whether a process that is no child of ours has ended; who is to see it to its end may be slow to."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_the_log_is_that_of_one_process(engine: str) -> None:
    with wirecat("serve", "echo", HERE, "--workers", "2", "--engine", engine, "-v") as server:
        port = port_of(server)
        with connect(port) as first:
            assert ask(first, b"Hallo") == b"Hallo"
            server.wait_for("stderr", rb"#1 127\.0\.0\.1:\d+ connected \(1 open\)")
            with connect(port) as second:
                assert ask(second, b"x") == b"x"
                server.wait_for("stderr", rb"#2 127\.0\.0\.1:\d+ connected \(2 open\)")
        server.wait_for("stderr", rb"#1 > Hallo")
        server.wait_for("stderr", rb"#1 .* closed by the client after .*: 5 B in, 5 B out")
        server.wait_for("stderr", rb"closed by the client .*\(0 open\)")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert server.stderr.endswith(b"stopped after 2 connections\n")
        assert server.stdout == b""


def test_events_as_json(who: str) -> None:
    with wirecat("serve", who, HERE, "--workers", "2", "--json") as server:
        listening = json.loads(server.wait_for("stdout", rb".*\n")[0])
        port = listening["addresses"][0]["port"]
        for _ in range(10):
            with connect(port) as client:
                assert client.recv(100)
        server.wait_for("stdout", rb'(?s)("closed".*){10}')
        server.interrupt()
        assert server.wait() == 0
        events = [json.loads(line) for line in server.stdout.splitlines()]
    assert sorted(each["connection"] for each in events if each["event"] == "opened") == list(range(1, 11))
    assert {each["by"] for each in events if each["event"] == "closed"} == {"peer"}
    assert events[-1]["event"] == "stopped" and events[-1]["served"] == 10


def test_ctrl_c_on_a_terminal_goes_to_all_and_drains(who: str) -> None:
    """The whole group gets it; who is here may end."""
    command = [sys.executable, "-c", "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"]
    with Program([*command, *wirecat_command("serve", who, HERE, "--workers", "2", "--drain", "30")]) as server:
        with connect(port_of(server)) as client:
            pid = int(client.recv(100))
            server.wait_for("stderr", rb"#1 .* connected")
            os.killpg(server.pid, signal.SIGINT)
            server.wait_for("stderr", b"stopping: 1 connection may end within")
            client.sendall(b"x")
            assert everything(client) == b""
        assert server.wait() == 0
        server.wait_for("stderr", rb"#1 .* closed by the server after")
        eventually(lambda: gone(pid), "the worker's end")


def test_a_second_signal_cuts(who: str) -> None:
    with wirecat("serve", who, HERE, "--workers", "2", "--drain", "1000") as server, connect(port_of(server)) as client:
        assert client.recv(100)
        server.wait_for("stderr", rb"#1 .* connected")
        server.signal(signal.SIGTERM)
        server.wait_for("stderr", b"stopping: 1 connection")
        server.signal(signal.SIGTERM)
        assert server.wait() == 128 + signal.SIGTERM
        assert b"(shutdown)" in server.stderr


def test_a_worker_that_is_killed_is_said_and_replaced(who: str) -> None:
    with wirecat("serve", who, HERE, "--workers", "1") as server:
        port = port_of(server)
        with connect(port) as client:
            pid = int(client.recv(100))
            server.wait_for("stderr", rb"#1 .* connected")
            os.kill(pid, signal.SIGKILL)
            server.wait_for(
                "stderr", rb"worker 1 \(process %d\) was killed by signal 9 \(SIGKILL\); another takes" % pid
            )
            server.wait_for("stderr", rb"#1 .* closed by the server \(worker died\)")
        with connect(port) as client:
            assert int(client.recv(100)) != pid


def test_workers_end_with_a_supervisor_that_is_killed(who: str) -> None:
    with wirecat("serve", who, HERE, "--workers", "2", "--drain", "0.1") as server:
        port = port_of(server)
        with connect(port) as client:
            pid = int(client.recv(100))
            server.signal(signal.SIGKILL)
            assert everything(client) == b""
        assert server.wait() == -signal.SIGKILL
        eventually(lambda: gone(pid), "the worker's end")
        eventually(lambda: refused(port), "the port is free")


def refused(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False


def test_once() -> None:
    with wirecat("serve", "daytime", HERE, "--workers", "2", "--once") as server:
        with connect(port_of(server)) as client:
            assert everything(client).endswith(b"\r\n")
        assert server.wait() == 0


def test_one_more_than_the_limit(who: str) -> None:
    with wirecat("serve", who, HERE, "--workers", "2", "--max-connections", "1") as server:
        port = port_of(server)
        server.wait_for("stderr", rb"at most 1 connection at once \(asked for\)")
        with connect(port) as client, connect(port) as other:
            served = [each.recv(100) for each in (client, other)]
            assert sorted(map(bool, served)) == [False, True]
            server.wait_for("stderr", rb"denied: connection limit reached \(1\)")


def test_ctrl_c_while_workers_import(tmp_path: Path) -> None:
    """A module that takes its time, in a worker: what it waits for here never comes."""
    path = tmp_path / "handlers.py"
    path.write_text(
        "import sys, threading\nif sys.argv[0] == '-c':\n    print('importing', flush=True)\n    threading.Event().wait()\n"
        "def f(connection):\n    pass\n"
    )
    with Program(wirecat_command("serve", f"{path}:f", HERE, "--workers", "1")) as program:
        program.wait_for("stdout", b"importing")
        program.interrupt()
        assert program.wait() == 130
        assert program.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("chat", "--workers", "2"), "the clients of chat share what they say to each other, which needs one process"),
        (("echo", "udp://127.0.0.1:0", "--workers", "2"), "workers serve TCP alone"),
        (("echo", "--workers", "0"), "0 is less than 1"),
        (("echo", "--workers", "some"), "some"),
        (("echo", "--workers", "999"), "999 workers are more than 256"),
        (("no_such_module:f", "--workers", "2"), "there is no module"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], said: str) -> None:
    with Program(wirecat_command("serve", *arguments)) as program:
        assert program.wait() == 2
        assert said in program.stderr.decode() and re.fullmatch(r"wirecat: [^\n]*\n", program.stderr.decode())


def test_a_handler_that_only_a_worker_cannot_import(tmp_path: Path) -> None:
    path = tmp_path / "handlers.py"
    path.write_text("import sys\nif sys.argv[0] == '-c':\n    import no_such\ndef f(connection):\n    pass\n")
    with Program(wirecat_command("serve", f"{path}:f", HERE, "--workers", "2"), env=environment()) as program:
        assert program.wait(PATIENCE) == 2
        said = program.stderr.decode()
    assert "does not import: ModuleNotFoundError: No module named 'no_such'" in said and said.count("\n") == 1, said
