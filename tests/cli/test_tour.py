"""The verb ``tour`` on the command line: quiet, with a handler of one's own, with one that cannot be loaded."""

from __future__ import annotations

import re
from pathlib import Path

from peers import Program, environment, wirecat_command
from wirecat.recording.reader import read


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


def test_no_colour_in_a_pipe_and_it_says_where_its_report_lies(tmp_path: Path) -> None:
    variables = environment(TMPDIR=str(tmp_path), TEMP=str(tmp_path), TMP=str(tmp_path))
    with Program(wirecat_command("tour", "--author", "Anna Muster"), env=variables) as program:
        assert program.wait(30) == 0
        assert b"\x1b" not in program.stdout
        where = re.search(r"A report of it, with pictures: (.*)", program.stdout.decode())
    assert where is not None
    page = Path(where[1].strip())
    assert page.parent.parent == tmp_path
    assert "Anna Muster" in page.read_text(encoding="utf-8")
    assert "205 connections to 4 servers" in page.read_text(encoding="utf-8")
    assert len(read(page.with_suffix(".pcapng")).connections) == 205


def test_the_report_goes_where_it_is_told_and_nothing_else_stays(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = environment(TMPDIR=str(temporary), TEMP=str(temporary), TMP=str(temporary))
    page = tmp_path / "tour.html"
    with Program(wirecat_command("tour", "-q", "--lang", "de", "--report", str(page)), env=variables) as program:
        assert program.wait(30) == 0
        assert program.stdout == b""
    assert '<html lang="de">' in page.read_text(encoding="utf-8")
    assert list(temporary.iterdir()) == []


def test_wrong_use_of_the_report() -> None:
    for arguments in (["--report", "x.html", "--no-report"], ["--lang", "fr"]):
        with Program(wirecat_command("tour", *arguments)) as program:
            assert program.wait(30) == 2
            assert program.stdout == b""
