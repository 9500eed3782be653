"""Other programs run for what they print."""

from __future__ import annotations

import sys

from wirecat.system.command import NOT_FOUND, TOO_SLOW, find_program, run_command


def test_what_it_prints_and_how_it_ends() -> None:
    code = "import os, sys; print(os.environ['LC_ALL'], sys.stdin.read()); sys.stderr.write('e\\xff'); sys.exit(3)"
    ended = run_command([sys.executable, "-c", code], 20)
    assert (ended.code, ended.stdout.split()) == (3, ["C"])
    assert ended.stderr.startswith("e")


def test_a_program_that_is_not_there() -> None:
    assert find_program("no-such-program-here") is None
    ended = run_command(["no-such-program-here"])
    assert (ended.code, ended.stderr) == (NOT_FOUND, "no-such-program-here is not installed")


def test_one_that_does_not_end() -> None:
    ended = run_command([sys.executable, "-c", "import threading; threading.Event().wait()"], 0.3)
    assert ended.code == TOO_SLOW
