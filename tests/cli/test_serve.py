"""The command ``wirecat serve``: what it prints, how it ends, what it refuses, and what no stall may do to it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from peers import PATIENCE, Program, environment, wirecat, wirecat_command
from server.clients import ask, connect, everything, exactly, reset
from terminals import CTRL_C, Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")

HERE = "127.0.0.1:0"


def port_of(program: Program) -> int:
    """The port it says that it listens on."""
    return int(program.wait_for("stderr", rb"listening on .*?127\.0\.0\.1:(\d+)")[1])


def refused(*arguments: str, code: int = 2, **changes: str) -> str:
    """The one line by which ``wirecat serve`` says no."""
    with Program(wirecat_command("serve", *arguments), env=environment(**changes)) as program:
        assert program.wait() == code, program.stderr
        said = program.stderr.decode()
        assert program.stdout == b""
    assert said.startswith("wirecat: ") and said.count("\n") == 1 and said.endswith("\n"), said
    return said.strip()


@pytest.fixture
def plain_asyncio(tmp_path: Path) -> dict[str, str]:
    """What hides uvloop from a program."""
    (tmp_path / "uvloop.py").write_text("raise ImportError('hidden')\n")
    return environment(PYTHONPATH=os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]]))


# What it says.


def test_a_connection_from_beginning_to_end() -> None:
    with wirecat("serve", "reply:You told me: {data}", HERE) as server:
        port = port_of(server)
        with connect(port) as first, connect(port) as second:
            mine = first.getsockname()[1]
            assert ask(first, b"Hallo") == b"You told me: Hallo"
            second.sendall(b"x")
            server.wait_for("stderr", rb"\(2 open\)")
        said = server.wait_for("stderr", rb"(?m)^\d\d:\d\d:\d\d #1 .*closed.*$")[0].decode()
        pattern = (
            rf"\d\d:\d\d:\d\d #1 127\.0\.0\.1:{mine} closed by the client after \d+ ms: 5 B in, 18 B out \(\d open\)"
        )
        assert re.fullmatch(pattern, said), said
        server.wait_for("stderr", rb"closed .*\(0 open\)")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        lines = server.stderr.decode().splitlines()
        assert lines[0] == f"wirecat: listening on 127.0.0.1:{port} (this PC only; --lan opens it to others)"
        assert re.fullmatch(r"wirecat: at most \d+ connections at once \(.*\)", lines[1])
        assert lines[-1].endswith("stopped after 2 connections")
        assert re.fullmatch(rf"\d\d:\d\d:\d\d #1 127\.0\.0\.1:{mine} connected \(1 open\)", lines[2])
        assert b"Hallo" not in server.stderr, "what clients say belongs into no log file unasked"
        assert server.stdout == b""


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("close", rb"closed by the client after"),
        ("reset", rb"closed by the client \(reset\) after"),
        ("idle", rb"closed by the server \(idle\) after"),
        ("error", rb"closed by the server \(handler error\) after"),
        ("drain", rb"closed by the server \(shutdown\) after"),
    ],
)
def test_who_closed_first_and_why(engine: str, end: str, said: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("class Own:\n    def receive(self, data): return data + data[5]\n")
    handler = f"{tmp_path}/own.py:Own" if end == "error" else "echo"
    options = ["--idle-timeout", "100ms" if end == "idle" else "1h", "--drain", "0"]
    with wirecat("serve", handler, HERE, "--engine", engine, *options) as server:
        client = connect(port_of(server))
        if end == "error":
            client.sendall(b"x")
            assert client.recv(1) == b""
            server.wait_for("stderr", rb"#1 handler error: IndexError: index out of range \(-v shows where\)\n")
        elif end == "reset":
            server.wait_for("stderr", b"connected")
            reset(client)
        elif end == "drain":
            assert ask(client, b"x") == b"x"
            server.signal(signal.SIGTERM)
        elif end == "idle":
            assert client.recv(1) == b""
        if end in ("close", "reset", "error"):
            client.close()
        server.wait_for("stderr", said)
        client.close()


def test_quiet_tells_errors_alone(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def own(connection): raise ValueError('on purpose')\n")
    with wirecat("serve", f"{tmp_path}/own.py:own", "127.0.0.1:0", "-q") as server:
        port = listening_port(server)
        with connect(port) as client:
            assert everything(client) == b""
        server.wait_for("stderr", rb"on purpose")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert re.fullmatch(
            rb"\d\d:\d\d:\d\d #1 handler error: ValueError: on purpose \(-v shows where\)\n", server.stderr
        )


def listening_port(program: Program) -> int:
    """The port that a process listens on, as the kernel tells it."""
    deadline = time.monotonic() + PATIENCE
    tick = threading.Event()
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            inodes = set()
            for name in os.listdir(f"/proc/{program.pid}/fd"):
                with contextlib.suppress(OSError):
                    inodes.add(os.readlink(f"/proc/{program.pid}/fd/{name}").removeprefix("socket:[").rstrip("]"))
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    return int(fields[1].partition(":")[2], 16)
        tick.wait(0.01)
    raise AssertionError("it does not listen")


def test_verbose_tells_what_was_said_and_where_handlers_fail(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "class Own:\n    def receive(self, data):\n        if data == b'fail': raise ValueError('\\x1b[2J')\n"
        "        return data.upper()\n"
    )
    with wirecat("serve", f"{tmp_path}/own.py:Own", HERE, "-v") as server:
        port = port_of(server)
        with connect(port) as client:
            assert ask(client, "Grüße\n".encode()) == "GR\xc3\xbc\xc3\x9fE\n".encode("latin-1")
            assert ask(client, b"\x1b[2J\xff") == b"\x1b[2J\xff"
            assert ask(client, b"fail") == b""
        server.wait_for("stderr", b"closed by the server")
        said = server.stderr.decode()
        assert "#1 > Grüße\n" in said and "#1 < GRüßE\n" in said
        assert "#1 > \\x1b[2J\\xff\n" in said
        assert "#1 handler error: ValueError: \\x1b[2J\n" in said
        assert "own.py" in said and "in receive" in said
        assert "\x1b" not in said


def test_on_a_terminal_what_was_said_is_shown_and_ctrl_c_ends_it() -> None:
    with Terminal(wirecat_command("serve", "echo", HERE), columns=200) as terminal:
        port = int(terminal.wait_for(rb"127\.0\.0\.1:(\d+)")[1])
        with connect(port) as client:
            assert ask(client, b"\x1b[2JHallo") == b"\x1b[2JHallo"
            terminal.wait_for(rb"#1 > \\x1b\[2JHallo\r\n")
            terminal.wait_for(rb"#1 < \\x1b\[2JHallo\r\n")
        terminal.wait_for(b"closed by the client")
        terminal.type(CTRL_C)
        terminal.wait_for(b"stopped after 1 connection")
        assert terminal.process.wait(PATIENCE) == 0
        assert b"Traceback" not in terminal.shown and b"\x1b[2J" not in terminal.shown


def test_a_flood_is_cut_to_what_can_be_read_and_counted() -> None:
    with wirecat("serve", "discard", HERE, "-v") as server:
        with connect(port_of(server)) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(3000):
                client.sendall(b"%d\n" % number)
        server.wait_for("stderr", b"closed by the client")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        said = server.stderr.decode()
        shown = len(re.findall(r"#1 > ", said))
        hidden = sum(int(each) for each in re.findall(r"\d\d (\d+) more not shown", said))
        assert 1 <= shown <= 200 * 20
        assert shown + hidden <= 3000
        if shown < 200:  # the pieces were so large that few came
            return
        assert hidden > 0
        assert said.index("more not shown") < said.index("stopped after")


def test_lan_prints_what_to_hand_out() -> None:
    with wirecat("serve", "echo", "0", "--lan") as server:
        server.wait_for("stderr", rb"at most")
        said = server.stderr.decode()
        port = re.search(r"listening on port (\d+) of all interfaces", said)
        assert port and "0.0.0.0" not in said and "::]" not in said
        assert re.search(rf"others connect to: .*:{port[1]}|no address that others could use", said)
        with connect(int(port[1])) as client:
            assert ask(client, b"x") == b"x"


def test_a_path(tmp_path: Path) -> None:
    with wirecat("serve", "echo", f"unix://{tmp_path}/echo.socket") as server:
        server.wait_for("stderr", rb"listening on unix://")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(tmp_path / "echo.socket"))
            assert ask(client, b"x") == b"x"
        server.wait_for("stderr", rb"#1 a program of this PC closed by the client")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    assert not list(tmp_path.iterdir())


def test_the_limit_is_said_and_held() -> None:
    with wirecat("serve", "echo", HERE, "--max-connections", "1") as server:
        port = port_of(server)
        with connect(port) as first:
            assert ask(first, b"x") == b"x"
            with connect(port) as second:
                assert everything(second) == b""
        server.wait_for("stderr", rb"127\.0\.0\.1:\d+ denied: connection limit reached \(1\)")
        assert b"at most 1 connection at once (asked for)" in server.stderr


# JSON.


def read(program: Program) -> list[dict[str, Any]]:
    return [json.loads(line) for line in program.stdout.splitlines()]


def test_json_is_one_event_a_line() -> None:
    with wirecat("serve", "echo", HERE, "--json", "--max-connections", "5") as server:
        port = int(server.wait_for("stdout", rb'"port": (\d+)')[1])
        with connect(port) as client:
            mine = client.getsockname()[1]
            assert ask(client, b"Hallo") == b"Hallo"
        server.wait_for("stdout", rb'"closed"')
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        events = read(server)
        assert [each["event"] for each in events] == [
            "listening", "opened", "half_closed", "closed", "stopping", "stopped",
        ]  # fmt: skip
        for each in events:
            assert list(each)[:5] == ["v", "event", "time", "connection", "peer"] and each["v"] == 1
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", each["time"])
        listening, opened, half_closed, closed, _, stopped = events
        assert listening["addresses"] == [{"host": "127.0.0.1", "port": port}]
        assert (listening["limit"], listening["limit_reason"]) == (5, "asked for")
        assert listening["connection"] is listening["peer"] is None
        for each in (opened, half_closed, closed):
            assert (each["connection"], each["peer"]) == (1, {"host": "127.0.0.1", "port": mine})
        assert (closed["by"], closed["reason"], closed["received"], closed["sent"]) == ("peer", "end", 5, 5)
        assert stopped["served"] == 1
        assert server.stderr == b""


def test_stdout_that_is_closed_early_is_told_once_and_clients_are_served() -> None:
    reading, writing = os.pipe()
    with Program(wirecat_command("serve", "echo", HERE, "--json"), stdout=writing) as server:
        os.close(writing)
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(reading, 1000)
        os.close(reading)
        port = json.loads(line)["addresses"][0]["port"]
        for _ in range(5):
            with connect(port) as client:
                assert ask(client, b"x") == b"x"
        server.wait_for("stderr", b"\n")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        said = server.stderr.decode()
        assert said.count("\n") == 1 and said.startswith("wirecat: ")
        assert "clients are still served" in said


# Stalls.


def fill(pipe: int) -> None:
    """Fill a pipe, so that the next write to it waits."""
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x")
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags)


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("log", ["stderr", "stdout"])
def test_a_log_that_stalls_slows_no_client_and_does_not_block_the_stop(engine: str, log: str) -> None:
    reading, writing = os.pipe()
    fill(writing)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--json"] if log == "stdout" else ["-v"]
    command = wirecat_command("serve", "echo", f"127.0.0.1:{port}", "--engine", engine, *options)
    try:
        with Program(command, **{log: writing}) as server:  # type: ignore[arg-type]
            assert listening_port(server) == port
            started = time.monotonic()
            with connect(port) as client:
                for _ in range(2000):
                    assert ask(client, b"x" * 100) == b"x" * 100
            for _ in range(100):
                with connect(port) as client:
                    assert ask(client, b"x") == b"x"
            assert time.monotonic() - started < 10
            started = time.monotonic()
            server.signal(signal.SIGTERM)
            assert server.wait() == 0
            assert time.monotonic() - started < 6
    finally:
        os.close(reading)
        os.close(writing)


# The end.


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_drains_with_exit_0(engine: str, number: signal.Signals) -> None:
    size = 3_000_000
    with wirecat("serve", "echo", HERE, "--engine", engine, "--drain", "30") as server:
        port = port_of(server)
        with connect(port) as client:
            client.sendall(b"x" * 1000)
            assert exactly(client, 1000) == b"x" * 1000
            server.signal(number)
            server.wait_for("stderr", rb"stopping: 1 connection may end within 30\.0 s; Ctrl-C again cuts")
            with pytest.raises(ConnectionRefusedError):
                connect(port)
            sending = threading.Thread(target=client.sendall, args=(b"y" * size,))
            sending.start()
            assert exactly(client, size) == b"y" * size
            sending.join()
        assert server.wait() == 0
        assert b"closed by the client after" in server.stderr


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_second_signal_cuts(engine: str, number: signal.Signals) -> None:
    with wirecat("serve", "echo", HERE, "--engine", engine, "--drain", "60") as server:
        with connect(port_of(server)) as client:
            assert ask(client, b"x") == b"x"
            server.signal(signal.SIGTERM)
            server.wait_for("stderr", b"stopping")
            started = time.monotonic()
            server.signal(number)
            assert server.wait() == 128 + number
            assert time.monotonic() - started < 5
            assert client.recv(1) == b""


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_the_drain_is_bounded(engine: str) -> None:
    with wirecat("serve", "echo", HERE, "--engine", engine, "--drain", "300ms") as server:
        with connect(port_of(server)) as client:
            assert ask(client, b"x") == b"x"
            started = time.monotonic()
            server.signal(signal.SIGTERM)
            assert server.wait() == 0
            assert 0.3 <= time.monotonic() - started < 5
            assert client.recv(1) == b""


def test_a_signal_right_after_the_first_line() -> None:
    """Whoever starts it by a script knows from that line that it may be stopped."""
    for _ in range(5):
        with wirecat("serve", "echo", HERE) as server:
            server.wait_for("stderr", b"listening")
            server.signal(signal.SIGTERM)
            assert server.wait() == 0


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_once(engine: str) -> None:
    with wirecat("serve", "echo", HERE, "--engine", engine, "--once") as server:
        port = port_of(server)
        with connect(port) as client:
            assert ask(client, b"x") == b"x"
            with pytest.raises(ConnectionRefusedError):
                connect(port)
        assert server.wait() == 0
        assert b"stopped after 1 connection" in server.stderr


HANDLERS = """
import asyncio, threading, time

def never(connection):
    connection.send(b"ready")
    threading.Event().wait()

def spins(connection):
    connection.send(b"ready")
    while True:
        pass

async def anever(connection):
    await connection.send(b"ready")
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def ablocks(connection):
    await connection.send(b"ready")
    await asyncio.sleep(0.1)
    threading.Event().wait()

async def in_a_pool(connection):
    await connection.send(b"ready")
    await asyncio.to_thread(threading.Event().wait)

async def swallows(connection):
    await connection.send(b"ready")
    while True:
        try:
            await asyncio.to_thread(threading.Event().wait)
        except asyncio.CancelledError:
            pass
"""


@pytest.mark.parametrize("name", ["never", "spins", "anever", "ablocks", "swallows"])
def test_a_handler_that_never_ends_is_named_and_the_process_ends_all_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(HANDLERS)
    with wirecat("serve", f"{tmp_path}/own.py:{name}", HERE, "--drain", "200ms") as server:
        with connect(port_of(server)) as client:
            assert exactly(client, 5) == b"ready"
            started = time.monotonic()
            server.signal(signal.SIGTERM)
            assert server.wait() == 0
            assert time.monotonic() - started < 0.2 + 2 + 3
        said = server.stderr.decode()
        assert "will not end" in said
        assert f"in {name}" in said and "own.py" in said
        assert "1 handler would not end" in said


def test_what_waits_for_a_pool_is_cancelled_and_the_process_ends_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(HANDLERS)
    with wirecat("serve", f"{tmp_path}/own.py:in_a_pool", HERE, "--drain", "0") as server:
        with connect(port_of(server)) as client:
            assert exactly(client, 5) == b"ready"
            server.signal(signal.SIGTERM)
            assert server.wait() == 0


def test_a_handler_that_exits_ends_its_connection_alone(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import sys, os\n"
        "def own(connection):\n    if connection.receive() == b'exit': sys.exit(5)\n    connection.send(b'well')\n"
    )
    with wirecat("serve", f"{tmp_path}/own.py:own", HERE) as server:
        port = port_of(server)
        with connect(port) as client:
            assert ask(client, b"exit") == b""
        server.wait_for("stderr", b"handler error: SystemExit: 5")
        with connect(port) as client:
            assert ask(client, b"x") == b"well"


# Wrong use: one line and exit 2.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "HANDLER is missing"),
        (["ech"], "unknown handler 'ech'. There are: echo, reply:TEMPLATE, discard"),
        (["reply"], "needs :TEMPLATE. Write: reply:'You told me: {data}'"),
        (["no_such.py:f"], "there is no file 'no_such.py'"),
        (["no_such_module:f"], "there is no module 'no_such_module'"),
        (["echo", "abc"], "no port"),
        (["echo", "70000"], "port 70000 is out of range"),
        (["echo", "-1"], "-1"),
        (["echo", "1", "2", "3"], "3"),
        (["echo", "127.0.0.1:0", "--lan"], "--lan opens it to others"),
        (["echo", "0", "--max-connections", "0"], "--max-connections: 0 is less than 1"),
        (["echo", "0", "--max-connections", "x"], "'x' is no whole number"),
        (["echo", "0", "--chunk", "0"], "--chunk: 0 is less than 1"),
        (["echo", "0", "--chunk", "5", "--framing", "line"], "exclude each other"),
        (["echo", "0", "--idle-timeout", "0"], "--idle-timeout: '0' is no time at all"),
        (["echo", "0", "--idle-timeout", "-1"], "--idle-timeout"),
        (["echo", "0", "--drain", "x"], "no number of seconds"),
        (["echo", "0", "--engine", "turbo"], "--engine"),
        (["echo", "0", "--framing", "x"], "--framing"),
        (["echo", "0", "--allow", "1.2.3.4/33"], "a block's length is a number from 0 to 32"),
        (["echo", "0", "--deny", "1.2.3"], "1.2.3"),
        (["echo", "0", "--allow", ""], "--allow was given nothing"),
        (["echo", "0", "--deny", "1.2.3.4,"], "--deny was given nothing"),
        (["echo", "--on"], "unknown option --on"),
    ],
)
def test_wrong_use(arguments: list[str], said: str) -> None:
    assert said in refused(*arguments)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no-such-host.invalid:0", "unknown host 'no-such-host.invalid'"),
        ("203.0.113.1:0", "that address is not this PC's"),
        ("unix:///tmp/no/such/folder/x", "/tmp/no/such/folder/x"),
    ],
)
def test_what_the_system_refuses_is_exit_1(address: str, said: str) -> None:
    assert said in refused("echo", address, code=1)


@pytest.mark.parametrize(
    ("source", "name", "options", "said"),
    [
        ("import no_such_thing", "f", [], "does not import: ModuleNotFoundError: No module named 'no_such_thing'"),
        ("def f(:", "f", [], "does not import: SyntaxError"),
        ("import sys; sys.exit(0)", "f", [], "does not import: SystemExit"),
        ("def g(connection): pass", "f", [], "has no 'f'. It has: g."),
        ("def f(): pass", "f", [], "takes the wrong number of arguments"),
        ("f = 5", "f", [], "is no function but int"),
        ("def f(connection): pass", "f", ["--engine", "async"], "is a plain function: it cannot run on --engine async"),
        (
            "async def f(c): pass",
            "f",
            ["--engine", "threads"],
            "is an async function: it cannot run on --engine threads",
        ),
        ("def f(connection): pass", "f", ["--framing", "line"], "--framing is for responders"),
        ("def f(connection): pass", "f", ["--chunk", "5"], "chunk is for responders"),
    ],
)
def test_handlers_that_are_none(source: str, name: str, options: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(source)
    assert said in refused(f"{tmp_path}/own.py:{name}", "0", *options)


def test_a_port_that_is_taken_says_by_whom() -> None:
    with wirecat("serve", "echo", HERE) as server:
        port = port_of(server)
        said = refused("echo", f"127.0.0.1:{port}", code=1)
        if sys.platform.startswith("linux"):
            name = Path(f"/proc/{server.pid}/comm").read_text().strip()
            assert f"the port is taken by {name} (pid {server.pid})" in said
        else:
            assert "the port is taken" in said


DROP = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE = 24, 10
if os.geteuid() == 0 and ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE, 0, 0, 0):
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drops a privilege the way of Linux")
def test_a_privileged_port() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first <= 81:
        pytest.skip("this system lets everybody have port 81")
    with Program([sys.executable, "-c", DROP, *wirecat_command("serve", "echo", "127.0.0.1:81")]) as program:
        if program.wait() == 77:
            pytest.skip("this system lets nobody drop a privilege")
        assert program.process.returncode == 1
        assert program.stderr == (
            b"wirecat: listen 127.0.0.1:81: ports below 1024 are privileged. "
            b"Choose a port from 1024 on, or run it as root.\n"
        )


def test_without_uvloop_it_serves_all_the_same(plain_asyncio: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import asyncio\nasync def own(connection):\n"
        "    await connection.send(type(asyncio.get_running_loop()).__module__.encode())\n"
    )
    with Program(wirecat_command("serve", f"{tmp_path}/own.py:own", HERE), env=plain_asyncio) as server:
        with connect(port_of(server)) as client:
            assert everything(client).startswith(b"asyncio")


def test_the_help_begins_with_examples_and_names_the_handlers() -> None:
    with wirecat("serve", "--help") as program:
        assert program.wait() == 0
        said = program.stdout.decode()
        assert said.startswith("Examples:\n  wirecat serve echo")
        for word in ("echo", "reply:", "discard", "daytime", "chargen", "--lan", "--max-connections", "--drain"):
            assert word in said
        assert program.stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["reply"],
        ["echo:x"],
        ["nosuch"],
        ["exec"],
        ["proxy", ":PORT"],
        ["echo", "--chunk", "x"],
        ["echo", "a", "b"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_reported_before_the_port_is_opened(arguments: list[str]) -> None:
    """Also where the port is opened before the server is loaded: a port that is taken is not what it complains about."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = [word.replace("PORT", str(port)) for word in arguments]
        if not any(str(port) in word for word in words):
            words.append(f"127.0.0.1:{port}")
        assert "taken" not in refused(*words)
