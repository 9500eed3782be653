"""The command ``wirecat wait``: 0 once a server accepts, 1 if it never did."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from peers import environment, wirecat
from plain_peers import everything, refusing, serving, silent


def test_a_server_that_is_there() -> None:
    with serving(everything) as server, wirecat("wait", server.address) as program:
        assert program.wait() == 0
        assert (program.stdout, program.stderr) == (b"", b"")
        assert server.result() == b"", "it was connected to, and closed in an orderly way"


def test_verbose_tells_how_long_it_took() -> None:
    with serving(everything) as server, wirecat("wait", str(server.port), "-v") as program:
        assert program.wait() == 0
        assert re.fullmatch(rf"wirecat: {server.port} accepts \(after [\d.]+ s\)\n", program.stderr.decode())


def test_a_server_that_comes_while_it_waits() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with wirecat("wait", f"127.0.0.1:{port}", "--timeout", "20") as program:
            # Long enough for it to have been refused at least once.
            threading.Event().wait(0.5)
            listener.listen()
            assert program.wait() == 0
            assert program.stderr == b""


def test_a_server_that_never_comes() -> None:
    with refusing() as port:
        started = time.monotonic()
        with wirecat("wait", f"127.0.0.1:{port}", "--timeout", "0.6") as program:
            assert program.wait() == 1
            took = time.monotonic() - started
            assert program.stderr.decode() == (
                f"wirecat: wait 127.0.0.1:{port}: it did not accept within 0.6 s (last: connection refused)\n"
            )
    assert 0.6 <= took < 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a full queue is silent on Linux")
def test_a_server_that_is_silent() -> None:
    with silent() as port:
        started = time.monotonic()
        with wirecat("wait", f"127.0.0.1:{port}", "--timeout", "0.6") as program:
            assert program.wait() == 1
            took = time.monotonic() - started
            assert f"wait 127.0.0.1:{port}: it did not accept within 0.6 s (last: no answer" in program.stderr.decode()
    assert 0.6 <= took < 3


def test_an_unknown_host_is_told_at_once() -> None:
    started = time.monotonic()
    with wirecat("wait", "no-such-host.invalid:1", "--timeout", "20") as program:
        assert program.wait() == 1
        assert "unknown host 'no-such-host.invalid'" in program.stderr.decode()
    assert time.monotonic() - started < 15


@pytest.mark.skipif(sys.platform == "win32", reason="no Unix domain sockets, other signals")
def test_a_unix_socket_that_comes(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with wirecat("wait", f"unix://{path}", "--timeout", "20") as program:
        threading.Event().wait(0.3)
        with serving(everything, path=path):
            assert program.wait() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
def test_ctrl_c() -> None:
    from peers import Program, wirecat_command

    with refusing() as port:
        loud = environment(PYTHONPROFILEIMPORTTIME="1")
        with Program(wirecat_command("wait", str(port), "--timeout", "60"), env=loud) as program:
            program.wait_for("stderr", rb" threading\n")  # what the first pause loads
            program.interrupt()
            assert program.wait(5) == 130
            assert b"Traceback" not in program.stderr
