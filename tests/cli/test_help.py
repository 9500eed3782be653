"""The help of every verb: it begins with examples that work when they are pasted.

Port 12345 is replaced by a free one, and what an example leaves to another window is started here.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import Program, environment, wirecat
from plain_peers import free_port
from recording.made import Maker
from wirecat.cli.main import VERBS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the examples are tried in a POSIX shell")

SERVES = ("listen", "relay", "serve")

#: Their examples read what others have recorded.
READ_RECORDINGS = {"replay", "report", "show"}

#: The programs that it stands in for have a help of their own.
DIALECTS = {"ncat"}

#: Their examples talk to the router of whatever network this machine is in. Each is tried in a network of its own, by
#: the tests of its verb.
OF_A_NETWORK = {"reach", "expose"}


def help_of(verb: str) -> str:
    with wirecat(verb, "--help") as program:
        assert program.wait() == 0
        assert program.stderr == b""
        return program.stdout.decode()


def examples(verb: str) -> list[tuple[str, str]]:
    """Each example and what it is said to do."""
    text = help_of(verb).partition("\n\n")[0]
    found = re.findall(r"^  (?! )(.*?)(?:   +#|\n      #) (.*)$", text, re.MULTILINE)
    return [(command.rstrip(), meaning) for command, meaning in found]


@pytest.fixture(scope="module", params=[verb for verb in VERBS if verb not in DIALECTS])
def verb(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_help_begins_with_at_least_two_examples(verb: str) -> None:
    text = help_of(verb)
    assert text.startswith("Examples:\n  ")
    found = examples(verb)
    assert len(found) >= 2
    assert all(f"wirecat {verb}" in command for command, _ in found), found
    assert text.index("Examples:") < text.index("usage: wirecat") < text.index("options:")


def test_the_help_fits_80_columns(verb: str) -> None:
    wide = [line for line in help_of(verb).splitlines() if len(line) > 80]
    assert not wide


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``wirecat`` is a command."""
    script = tmp_path / "bin" / "wirecat"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m wirecat "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return environment(PATH=f"{script.parent}{os.pathsep}{os.environ['PATH']}", TMPDIR=str(tmp_path))


@contextlib.contextmanager
def other_window(command: str, meaning: str, port: int) -> Iterator[None]:
    """What the example needs to be there, in its own words where it has some: ``against: wirecat serve echo``."""
    words = shlex.split(re.search(r"wirecat serve .*?(?=\)|$)", meaning)[0]) if "wirecat serve" in meaning else []  # type: ignore[index]
    if not words:
        words = ["wirecat", "serve", "echo"]
    with wirecat(*words[1:], str(port)) as server:
        server.wait_for("stderr", rb"listening on .*\n")
        yield
        server.interrupt()
        assert server.wait() == 0


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.timeout(90)
def test_the_examples_work(verb: str, number: int, variables: dict[str, str], tmp_path: Path) -> None:
    if verb in OF_A_NETWORK:
        pytest.skip("its examples are tried in the lab's network")
    command, meaning = examples(verb)[number]
    port = free_port()
    if "12345" not in command and verb == "serve":
        command += " 12345"  # the default, which somebody may use
    second = free_port()
    command = command.replace("12345", str(port)).replace("12346", str(second))
    if verb in (*SERVES, "record"):
        command = f"exec {command}"  # so that what is interrupted is wirecat, and not the shell around it
    if verb in READ_RECORDINGS:
        maker = Maker()
        maker.echo(1)
        maker.write(tmp_path / "talk.pcapng")
    with contextlib.ExitStack() as stack:
        if verb in ("connect", "record", "replay", "swarm", "wait"):
            stack.enter_context(other_window(command, meaning, port))
        if "localhost:8080" in command:
            there = free_port()
            command = command.replace("8080", str(there))
            stack.enter_context(other_window(command, meaning, there))
        # Its own process group, so that Ctrl-C reaches all of what the shell starts, as on a terminal.
        example = stack.enter_context(
            Program(["setsid", "sh", "-c", command], env=variables, cwd=tmp_path, stdin=subprocess.PIPE)
        )
        if verb == "record":
            example.wait_for("stderr", rb"listening on .*\n")
            with wirecat("connect", str(second)) as client:
                client.send(b"hello\n")
                client.close_stdin()
                assert client.wait() == 0
                assert client.stdout == b"hello\n"
            if "--once" not in command:
                os.killpg(example.pid, signal.SIGINT)
            assert example.wait() == 0
        elif verb in SERVES:
            example.wait_for("stderr", rb"listening on .*\n")
            with wirecat("connect", str(port)) as client:
                client.send(b"hello\n")
                client.close_stdin()
                example.close_stdin()
                assert client.wait() == 0
            if verb == "serve" or "--keep-open" in command:
                os.killpg(example.pid, signal.SIGINT)
            assert example.wait() == 0
        elif verb == "sockets" and "--watch" in command:
            example.wait_for("stdout", rb"Proto")
            os.killpg(example.pid, signal.SIGINT)
            assert example.wait() in (130, -signal.SIGINT)
        else:
            if verb == "connect":
                example.send(b"hello\n")
            example.close_stdin()
            assert example.wait(60) == 0
            if verb == "connect":
                assert example.stdout == b"hello\n"
        assert b"Traceback" not in example.stderr
