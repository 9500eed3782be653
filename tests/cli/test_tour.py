"""The verb ``tour`` on the command line: quiet, with a handler of one's own, with one that cannot be loaded."""

from __future__ import annotations

from peers import Program, wirecat_command


def test_quiet_says_nothing_where_all_held() -> None:
    with Program(wirecat_command("tour", "-q")) as program:
        assert program.wait(30) == 0
        assert program.stdout == b""


def test_a_handler_that_answers_otherwise_fails_one_step() -> None:
    with Program(wirecat_command("tour", "-q", "--handler", "echo")) as program:
        assert program.wait(30) == 1
        assert b"4. 200 clients at once" in program.stdout
        assert b"1. A talk" not in program.stdout


def test_an_unknown_handler_is_wrong_use() -> None:
    with Program(wirecat_command("tour", "-q", "--handler", "nothing")) as program:
        assert program.wait(30) == 2
        assert program.stderr.startswith(b"wirecat: unknown handler 'nothing'")
        assert len(program.stderr.splitlines()) == 1


def test_no_colour_in_a_pipe() -> None:
    with Program(wirecat_command("tour")) as program:
        assert program.wait(30) == 0
        assert b"\x1b" not in program.stdout
