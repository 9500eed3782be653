"""The command ``wirecat sockets``: tables, JSON, what it says on stderr, --watch on screen and in a pipe."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lonely_port import lonely_socket

SOURCE = Path(__file__).parents[2] / "src"
COMMAND = [sys.executable, "-m", "wirecat", "sockets"]

if not sys.platform.startswith(("linux", "win32")):
    pytest.importorskip("psutil")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "xterm", **more}


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**more),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a listener with one connection to it."""
    with lonely_socket() as listener:
        listener.listen(5)
        with socket.create_connection(listener.getsockname(), 10), listener.accept()[0]:
            yield listener.getsockname()[1]


def test_the_table(port: int) -> None:
    result = run("--port", str(port))
    heading, *rows = result.stdout.splitlines()
    assert heading.split("  ")[0] == "Proto"
    assert [row.split()[5] for row in rows] == ["LISTEN", "ESTABLISHED", "ESTABLISHED"]
    assert rows[0].split()[3:5] == [f"127.0.0.1:{port}", "*"]
    assert all(row.split()[6].startswith(f"{os.getpid()}/") for row in rows)
    assert (result.returncode, result.stderr) == (0, "")


def test_json(port: int) -> None:
    result = run("--port", str(port), "--listening", "--json")
    (listener,) = json.loads(result.stdout)
    assert listener["local"] == {"host": "127.0.0.1", "port": port}
    assert (listener["protocol"], listener["state"], listener["remote"]) == ("tcp", "LISTEN", None)
    assert listener["pid"] == os.getpid()
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "states"),
    [
        (("--listening",), ["LISTEN"]),
        (("-l", "--tcp"), ["LISTEN"]),
        (("--state", "estab"), ["ESTABLISHED", "ESTABLISHED"]),
        (("--tcp",), ["LISTEN", "ESTABLISHED", "ESTABLISHED"]),
        (("--tcp", "--udp"), ["LISTEN", "ESTABLISHED", "ESTABLISHED"]),
        (("--udp",), []),
        (("--state", "SYN_RECV"), []),
    ],
)
def test_filters(port: int, arguments: tuple[str, ...], states: list[str]) -> None:
    result = run("--port", str(port), "--json", *arguments)
    assert [row["state"] for row in json.loads(result.stdout)] == states
    assert result.returncode == 0


def test_processes_can_be_left_out(port: int) -> None:
    rows = json.loads(run("--port", str(port), "--json", "--no-processes").stdout)
    assert len(rows) == 3
    if sys.platform.startswith("linux"):
        assert {row["pid"] for row in rows} == {None}


def test_nothing_found_is_said_and_no_failure() -> None:
    with lonely_socket() as trial:
        free = str(trial.getsockname()[1])
    result = run("--port", free, "--tcp", "--listening")
    assert (result.returncode, result.stderr) == (0, "wirecat: there is no such socket\n")
    assert len(result.stdout.splitlines()) == 1
    assert run("--port", free, "--tcp", "--listening", "-q").stderr == ""
    assert run("--port", free, "--tcp", "--listening", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], "a port is 1 to 65535"),
        (["--port", "70000"], "a port is 1 to 65535"),
        (["--port", "abc"], "'abc' is no whole number"),
        (["--state", "quark"], "no state 'quark'"),
        (["--watch", "0"], "--watch takes"),
        (["--watch", "nan"], "seconds"),
        (["--watch", "abc"], "'abc' is no number of seconds"),
        (["--listening", "--state", "established"], "never ESTABLISHED"),
        (["--quark"], "unknown option --quark"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("wirecat: ") and result.stderr.count("\n") == 1


def test_help_starts_with_two_examples_that_work(port: int) -> None:
    lines = run("--help").stdout.splitlines()
    examples = [line.partition("#")[0].split() for line in lines[1:3]]
    assert lines[0] == "Examples:" and [words[:2] for words in examples] == [["wirecat", "sockets"]] * 2
    assert run(*examples[0][2:]).returncode == 0
    with start(*examples[1][2:]) as child:
        assert child.stdout is not None and child.stdout.readline()
        child.stdout.close()
        assert child.wait(20) in (0, 141)


def test_watch_in_a_pipe_prints_table_after_table_with_the_time(port: int) -> None:
    with start("--watch", "0.1", "--port", str(port), "--tcp") as child:
        assert child.stdout is not None
        for _ in range(3):
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n", child.stdout.readline())
            table = [child.stdout.readline() for _ in range(4)]
            assert table[0].startswith("Proto") and "LISTEN" in table[1]
        child.terminate()


def test_watch_shows_what_changes() -> None:
    with lonely_socket() as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with start("--watch", "0.1", "--port", str(port), "--json", "--no-processes") as child:
            assert child.stdout is not None
            assert len(json.loads(child.stdout.readline())) == 1
            with socket.create_connection(listener.getsockname(), 10), listener.accept()[0]:
                for line in child.stdout:
                    if len(json.loads(line)) == 3:
                        break
                else:
                    pytest.fail("the connection never showed")
            child.terminate()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_a_watch(port: int) -> None:
    with start("--watch", "60", "--port", str(port)) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert child.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' pipes do not tell")
def test_a_watch_ends_at_once_when_nobody_reads_it(port: int) -> None:
    with start("--watch", "600", "--port", str(port)) as child:
        assert child.stdout is not None and child.stderr is not None
        for _ in range(5):
            child.stdout.readline()
        child.stdout.close()
        assert child.wait(20) == 0
        assert child.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows' pipes do not tell")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_nobody_reads_is_told(unbuffered: str) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(lonely_socket())
        listener.listen(1000)
        for _ in range(400):
            stack.enter_context(socket.create_connection(listener.getsockname(), 10))
        port = str(listener.getsockname()[1])
        # More than a pipe holds, so that a write is cut in the middle.
        whole = run("--port", port, "--json", PYTHONUNBUFFERED=unbuffered).stdout
        assert len(whole) > 65536 and len(json.loads(whole)) >= 801
        with subprocess.Popen(
            [*COMMAND, "--port", port, "--json"],
            env=environment(PYTHONUNBUFFERED=unbuffered),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as child:
            assert child.stdout is not None and child.stderr is not None
            child.stdout.read(1)
            child.stdout.close()
            assert child.wait(20) == 141
            assert b"Traceback" not in child.stderr.read()


def test_characters_that_the_encoding_has_not_are_escaped(port: int) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("needs a process that can call itself anything")
    code = (
        "import ctypes, socket; ctypes.CDLL(None).prctl(15, 'Grüße\\x1b[2J'.encode(), 0, 0, 0);"
        "s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        named = child.stdout.readline().strip()
        utf8 = run("--port", named, PYTHONIOENCODING="utf-8")
        ascii_only = run("--port", named, PYTHONIOENCODING="ascii")
        child.stdin.write("\n")
        child.stdin.flush()
    assert f"{child.pid}/Grüße\\x1b[2J" in utf8.stdout
    assert f"{child.pid}/Gr\\xfc\\xdfe\\x1b[2J" in ascii_only.stdout
    assert ascii_only.returncode == 0


def test_without_psutil_where_it_is_needed_one_line_says_so(tmp_path: Path) -> None:
    # As on another system, and without psutil.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfrom types import SimpleNamespace\nsys.modules['psutil'] = None\n"
        "from wirecat.system import socket_table\n"
        "socket_table.sys = SimpleNamespace(platform='darwin')\n"
    )
    result = run(PYTHONPATH=os.pathsep.join([str(tmp_path), str(SOURCE)]))
    assert (result.returncode, result.stdout) == (2, "")
    assert "pip install 'wirecat[sockets]'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_may_not_be_seen_is_said_on_stderr() -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    with lonely_socket() as listener:
        listener.listen()
        # The first call imports what the second, as nobody, may not be able to read any more.
        code = (
            "import os, sys; from wirecat.cli.main import main; main(sys.argv[1:]); print('---', flush=True);"
            "print('---', file=sys.stderr, flush=True);"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534); sys.exit(main(sys.argv[1:]))"
        )
        arguments = ["sockets", "--json", "--port", str(listener.getsockname()[1])]
        result = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    as_root, as_nobody = (json.loads(text) for text in result.stdout.split("---"))
    assert [(row["state"], row["pid"]) for row in as_root] == [("LISTEN", os.getpid())]
    assert [(row["state"], row["pid"], row["process"]) for row in as_nobody] == [("LISTEN", None, None)]
    said = "wirecat: processes of other users are not shown (1 socket): run as root to see them\n"
    assert result.stderr == f"---\n{said}"
    assert result.returncode == 0


@pytest.fixture
def terminal() -> Iterator[Any]:
    """Starts the command on a terminal of 70 columns and 12 lines."""
    pexpect = pytest.importorskip("pexpect")
    children = []

    def spawn(*arguments: str) -> Any:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "wirecat", "sockets", *arguments],
            env=environment(),
            dimensions=(12, 70),
            encoding="utf-8",
            timeout=20,
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.close(force=True)


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect has no terminal there")
def test_watch_redraws_a_terminal(terminal: Any) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(lonely_socket())
        listener.listen(50)
        for _ in range(20):
            stack.enter_context(socket.create_connection(listener.getsockname(), 10))
        child = terminal("--watch", "0.1", "--port", str(listener.getsockname()[1]))
        child.expect(re.escape("\x1b[2J\x1b[H"))
        for _ in range(2):
            child.expect(re.escape("\x1b[J"))
            lines = child.before.replace("\x1b[K", "").replace("\x1b[H", "").split("\r\n")
            assert len(lines) <= 12 and max(map(len, lines)) < 70
            assert "sockets: 41" in lines[0] and lines[1].startswith("Proto")
            assert re.fullmatch(r"\.\.\. and \d+ more", lines[-1])
        child.sendintr()
        child.expect("\r\n")
        child.wait()
        assert child.exitstatus == 130


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect has no terminal there")
def test_a_table_fits_the_terminal(terminal: Any, port: int) -> None:
    child = terminal("--port", str(port), "--listening")
    output = child.read()
    assert max(map(len, output.splitlines())) <= 70
    assert f"127.0.0.1:{port}" in output and "\x1b" not in output
