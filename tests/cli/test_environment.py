"""The environment of a command: its standard streams, closed or not, and what it says on stderr."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from peers import Program
from wirecat.cli.environment import Environment, write_whole


class TerminalText(io.StringIO):
    def isatty(self) -> bool:
        return True


def in_memory(**variables: str) -> Environment:
    return Environment(io.StringIO(), io.StringIO(), io.StringIO(), variables)


def test_messages_and_notes_go_to_stderr_with_the_programs_name() -> None:
    environment = in_memory()
    environment.message("one")
    environment.note("two")
    environment.quiet = True
    environment.message("three")
    environment.note("four")
    assert environment.stderr.getvalue() == "wirecat: one\nwirecat: two\nwirecat: three\n"  # type: ignore[attr-defined]
    assert environment.stdout.getvalue() == ""  # type: ignore[attr-defined]


def test_what_is_a_terminal() -> None:
    environment = Environment(TerminalText(), io.StringIO(), TerminalText(), {})
    assert (environment.stdin_is_terminal, environment.stdout_is_terminal, environment.stderr_is_terminal) == (
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, True),
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "0"}, False),
        ({"NO_COLOR": ""}, True),  # https://no-color.org: "present and not an empty string"
        ({"TERM": "dumb"}, False),
    ],
)
def test_colour(variables: dict[str, str], wanted: bool) -> None:
    environment = in_memory(**variables)
    assert environment.colour(True) is wanted
    assert environment.colour(False) is False


def test_no_input_is_the_null_device_alone() -> None:
    with open(os.devnull) as null, open(__file__) as file:
        assert Environment(null, io.StringIO(), io.StringIO(), {}).no_input
        assert not Environment(file, io.StringIO(), io.StringIO(), {}).no_input
    assert not in_memory().no_input


def test_stderr_that_nobody_reads_is_nobody_to_tell() -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", buffering=1, closefd=True) as stream:
        with pytest.raises(BrokenPipeError):
            write_whole(stream, "lost\n")
        environment = Environment(io.StringIO(), io.StringIO(), stream, {})
        environment.message("lost as well")


def test_text_of_any_kind_can_be_said() -> None:
    read, write = os.pipe()
    with open(write, "w") as stream, open(read, "rb") as reader:
        write_whole(stream, "Grüße \udcff\n")
        stream.close()
        assert reader.read() == "Grüße \\udcff\n".encode()


STATE = """
import os, sys
from wirecat.cli.environment import Environment
environment = Environment.of_process()
first = os.open(sys.executable, os.O_RDONLY)   # what is opened next must get none of the three numbers
state = [first > 2, environment.no_input]
for stream in (environment.stdout, environment.stderr):
    try:
        os.write(stream.fileno(), b"")
        stream.write("x")
        stream.flush()
        state.append("written")
    except OSError as error:
        state.append(type(error).__name__ + str(error.errno))
report = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(report, repr(state).encode())
os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no shell to close descriptors with")
@pytest.mark.parametrize(
    ("redirection", "no_input", "stdout"),
    [
        ("", False, "written"),
        ("<&-", True, "written"),
        (">&-", False, "OSError9"),
        ("2>&-", False, "written"),
        ("<&- >&- 2>&-", True, "OSError9"),
        ("</dev/null", True, "written"),
    ],
)
def test_closed_descriptors_are_occupied(redirection: str, no_input: bool, stdout: str, tmp_path: object) -> None:
    """Else the first socket would become stdin, or stderr, and the peer would get our messages."""
    report = f"{tmp_path}/report"
    script = f'"$@" {redirection}'
    command = ["sh", "-c", script, "sh", sys.executable, "-c", STATE, report]
    with Program(command, stdin=subprocess.PIPE) as program:
        assert program.wait() == 0
    with open(report) as file:
        assert file.read() == repr([True, no_input, stdout, "written"])
