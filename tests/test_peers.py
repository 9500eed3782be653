"""Tests of the helpers that start real programs: what they wait for, what they show, how they end them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from peers import PEERS, SOURCE, Program, environment, find_peer, peer, wirecat_command


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


ECHO = python("import sys\nfor line in sys.stdin: print('heard', line, end='', flush=True)\nprint('end')")


def test_output_is_waited_for_and_found_from_where_one_says() -> None:
    with Program(ECHO) as program:
        program.send(b"one\n")
        first = program.wait_for("stdout", rb"heard (\w+)\n")
        assert first[1] == b"one"
        program.send(b"two\n")
        assert program.wait_for("stdout", rb"heard (\w+)\n", since=first.end())[1] == b"two"
        program.close_stdin()
        program.close_stdin()
        assert program.wait() == 0
        assert program.stdout == b"heard one\nheard two\nend\n"
        assert program.stderr == b""


def test_the_end_of_the_output_ends_the_wait_at_once() -> None:
    with Program(python("print('something else')")) as program:
        with pytest.raises(AssertionError, match=r"stdout ended, without b'what never comes'"):
            program.wait_for("stdout", b"what never comes", timeout=50)


def test_a_wait_is_bounded() -> None:
    with Program(ECHO) as program:
        with pytest.raises(AssertionError, match=r"not in 0\.1 s"):
            program.wait_for("stdout", b"what never comes", timeout=0.1)
        with pytest.raises(AssertionError, match=r"still runs after 0\.1 s"):
            program.wait(0.1)


def test_exit_codes_and_all_of_the_output_are_there_after_the_wait() -> None:
    code = "import sys; sys.stdout.write('x' * 300_000); sys.stderr.write('said'); sys.exit(7)"
    with Program(python(code)) as program:
        assert program.wait() == 7
        assert len(program.stdout) == 300_000
        assert program.stderr == b"said"


def test_much_input_goes_through_whole() -> None:
    code = "import sys; print(len(sys.stdin.buffer.read()))"
    with Program(python(code)) as program:
        program.send(b"x" * 1_000_000)
        program.close_stdin()
        assert program.wait() == 0
        assert program.stdout.split() == [b"1000000"]


def test_what_it_said_is_shown_with_the_failure() -> None:
    code = "import sys; print('on stdout'); print('on stderr', file=sys.stderr)"
    with pytest.raises(ValueError, match="the test's own") as caught:
        with Program(python(code)) as program:
            program.wait()
            raise ValueError("the test's own")
    (note,) = caught.value.__notes__
    assert "exit 0" in note
    assert "its stdout:\non stdout" in note
    assert "its stderr:\non stderr" in note


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to ignore")
def test_one_that_ignores_the_request_is_ended_by_force() -> None:
    code = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', flush=True)\nwhile True: signal.pause()"
    )
    with Program(python(code)) as program:
        program.wait_for("stdout", b"up")
        process = program.process
        program.grace = 0.2
    assert process.returncode == -9
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has its own way")
def test_ctrl_c_reaches_it() -> None:
    code = "import sys\ntry:\n  print('up', flush=True); sys.stdin.read()\nexcept KeyboardInterrupt: sys.exit(130)"
    with Program(python(code)) as program:
        program.wait_for("stdout", b"up")
        program.interrupt()
        assert program.wait() == 130


def test_a_socket_left_open_is_an_error() -> None:
    code = "import socket; s = socket.socket(); del s"
    with pytest.raises(AssertionError, match="it left something open"):
        with Program(python(code)) as program:
            program.wait()
    with Program(python(code), check_warnings=False) as program:
        program.wait()


def test_streams_may_go_elsewhere() -> None:
    with Program(ECHO, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as program:
        assert program.wait() == 0
        assert program.stdout == b""
        program.close_stdin()


def test_nothing_is_left_of_one_that_never_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Program([tmp_path / "nothing"]).__enter__()
    with pytest.raises(RuntimeError, match="with block"):
        Program(ECHO).send(b"too early")


def test_the_environment_has_wirecat_from_this_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("FORCE_COLOR", "1")
    variables = environment(PYTHONWARNINGS=None, EXTRA="yes")
    assert variables["PYTHONPATH"].split(os.pathsep) == [str(SOURCE), "elsewhere"]
    assert "PYTHONWARNINGS" not in variables
    assert "FORCE_COLOR" not in variables
    assert variables["EXTRA"] == "yes"
    assert environment()["PYTHONWARNINGS"] == "error"
    assert wirecat_command("serve", "echo")[1:] == ["-m", "wirecat", "serve", "echo"]


def test_a_missing_peer_skips_and_with_all_required_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("peers.SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WIRECAT_REQUIRE_PEERS", raising=False)
    assert find_peer("ncat") is None
    with pytest.raises(pytest.skip.Exception, match="ncat is not installed"):
        peer("ncat")
    monkeypatch.setenv("WIRECAT_REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match=r"nc\.openbsd is not installed \(Debian package netcat-openbsd\)"):
        peer("nc.openbsd")


def test_a_peer_that_nobody_installs_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        peer("netcat-of-my-own")


@pytest.mark.parametrize("name", PEERS)
def test_each_peer_is_a_program(name: str) -> None:
    assert os.access(peer(name), os.X_OK)
