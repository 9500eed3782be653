"""Dispatch: finding the verb, the words of the help, and what every way of ending turns into."""

from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from peers import Program, environment, wirecat, wirecat_command
from wirecat._version import __version__
from wirecat.cli import main as command
from wirecat.cli.environment import Environment
from wirecat.cli.main import VERBS, _collect_again, dispatch, help_text
from wirecat.errors import OutputClosed, Refused, UsageError


def in_memory(**variables: str) -> Environment:
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), variables)


def run(environment: Environment, *arguments: str) -> tuple[int, str, str]:
    code = command._guarded(list(arguments), environment)
    return code, environment.stdout.getvalue(), environment.stderr.getvalue()  # type: ignore[attr-defined]


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[list[str], Environment], int]], None]:
    """Puts a function in the place of the verb ``wait``."""

    def put(function: Callable[[list[str], Environment], int]) -> None:
        monkeypatch.setattr(command, "_function", lambda module: function)

    return put


# The words.


def test_the_version() -> None:
    for option in ("--version", "-V"):
        assert run(in_memory(), option) == (0, f"wirecat {__version__}\n", "")


def test_the_help_fits_a_screen() -> None:
    code, out, err = run(in_memory(), "--help")
    assert (code, err) == (0, "")
    assert out == help_text()
    lines = out.splitlines()
    assert len(lines) <= 23, "with the shell's next prompt it has to fit 24 lines"
    assert max(map(len, lines)) <= 80


def test_the_help_names_every_verb_and_begins_with_two_commands() -> None:
    text = help_text()
    assert all(f"\n  {verb} " in text for verb in VERBS)
    commands = [line for line in text.splitlines() if line.startswith("  wirecat ")]
    assert len(commands) == 2
    assert all(line.split()[1] in VERBS for line in commands)


@pytest.mark.parametrize("word", ["-h", "--help", "help"])
def test_ways_to_ask_for_help(word: str) -> None:
    assert run(in_memory(), word) == (0, help_text(), "")


def test_help_with_a_verb_is_the_verbs_own() -> None:
    with wirecat("help", "wait") as one, wirecat("wait", "--help") as other:
        assert one.wait() == other.wait() == 0
        assert one.stdout == other.stdout
        assert one.stdout.startswith(b"Examples:\n  wirecat wait ")


def test_no_arguments_are_wrong_use_and_show_the_help() -> None:
    code, out, err = run(in_memory())
    assert (code, out, err) == (2, "", help_text())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["conect"], "unknown verb 'conect' (did you mean 'connect'?). There are: connect, listen, "),
        (["xyzzy"], "unknown verb 'xyzzy'. There are: connect, listen, "),
        (["help", "xyzzy"], "unknown verb 'xyzzy'. There are: connect, listen, "),
        (["12345"], "unknown verb '12345'. To talk to a server: wirecat connect 12345\n"),
        (["localhost:80"], "unknown verb 'localhost:80'. To talk to a server: wirecat connect localhost:80\n"),
        (["127.0.0.1", "80"], "unknown verb '127.0.0.1'. To talk to a server: wirecat connect 127.0.0.1 80\n"),
        (["-v", "connect", "1"], "an option before the verb: '-v'. Write it behind: wirecat VERB … -v\n"),
        (["-l", "12345"], "an option before the verb: '-l'. "),
    ],
)
def test_what_is_no_verb(words: list[str], said: str) -> None:
    code, out, err = run(in_memory(), *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"wirecat: {said}")
    assert len(err.splitlines()) == 1


# How it ends.


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Refused("refused", address="h:1", step="connect", hint="Try."), 1, "wirecat: connect h:1: refused. Try.\n"),
        (UsageError("wrong"), 2, "wirecat: wrong\n"),
        (OutputClosed("gone"), 141, "wirecat: gone\n"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(0), 0, ""),
        (SystemExit(None), 0, ""),
        (BrokenPipeError(32, "Broken pipe"), 141, "wirecat: standard output was closed early\n"),
    ],
)
def test_what_an_error_becomes(verb: Callable[..., None], error: BaseException, code: int, said: str) -> None:
    def fails(arguments: list[str], environment: Environment) -> int:
        raise error

    verb(fails)
    assert run(in_memory(), "wait", "1") == (code, "", said)


@pytest.mark.parametrize("error", [ValueError("odd\nthing"), OSError(24, "Too many open files"), KeyError("x")])
def test_a_fault_is_one_line_and_the_traceback_is_there_for_whoever_asks(
    verb: Callable[..., None], error: Exception
) -> None:
    def fails(arguments: list[str], environment: Environment) -> int:
        raise error

    verb(fails)
    code, out, err = run(in_memory(), "wait", "1")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert type(error).__name__ in err
    code, out, err = run(in_memory(WIRECAT_DEBUG="1"), "wait", "1")
    assert err.startswith("Traceback") and "in fails" in err


def test_the_verbs_code_is_the_programs(verb: Callable[..., None]) -> None:
    verb(lambda arguments, environment: len(arguments))
    assert run(in_memory(), "wait", "a", "b", "c")[0] == 3
    assert dispatch(["wait"], in_memory()) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no shell, no /dev/full")
@pytest.mark.parametrize("words", ["--version", "--help", "wait --help", "sockets -q", "sockets -q --json"])
@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        (">/dev/full", 1, b"wirecat: standard output: No space left on device\n"),
        (">&-", 141, b"wirecat: standard output is closed\n"),
    ],
)
def test_an_output_that_takes_nothing(words: str, where: str, code: int, said: bytes) -> None:
    script = f'"$@" {words} {where}'
    with Program(["sh", "-c", script, "sh", *wirecat_command()], stdin=subprocess.DEVNULL) as program:
        assert program.wait() == code
        assert program.stderr == said


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_reader_that_has_gone_already() -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as stdout, Program(wirecat_command("--help"), stdout=stdout) as program:
        assert program.wait() == 141
        assert program.stderr == b"wirecat: standard output was closed early\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_standard_error_that_nobody_reads_is_no_reason_to_fail_otherwise() -> None:
    script = '"$@" connect 0 2>&-'
    with Program(["sh", "-c", script, "sh", *wirecat_command()], stdin=subprocess.DEVNULL) as program:
        assert program.wait() == 2


def test_a_second_ctrl_c_while_the_first_is_dealt_with(
    verb: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clean-up after the first may take a moment; whoever presses again then still sees no traceback."""

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    verb(interrupted)
    monkeypatch.setattr(command, "_leave", interrupted)
    assert command.main(["wait", "1"]) == 130


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_with_ctrl_c_ignored_it_stays_ignored() -> None:
    """A shell's ``&`` without job control starts programs so; SIGTERM ends them."""
    code = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    listen = wirecat_command("listen", "127.0.0.1:0")
    with Program([sys.executable, "-c", code, *listen], env=environment()) as program:
        program.wait_for("stderr", b"listening")
        program.interrupt()
        with pytest.raises(AssertionError, match="still runs"):
            program.wait(0.3)
        program.signal(signal.SIGTERM)
        assert program.wait() == -signal.SIGTERM


def test_garbage_is_looked_for_once_a_verb_begins() -> None:
    assert gc.isenabled()
    frozen = gc.get_freeze_count()
    _collect_again()
    assert gc.get_freeze_count() == frozen  # who has not put it off has nothing frozen either
    gc.disable()
    try:
        _collect_again()
        assert gc.isenabled() and gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
        gc.enable()
