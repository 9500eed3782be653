"""The verb ``report`` on the command line: where it writes, in which format, and what it refuses."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from peers import Program, wirecat, wirecat_command
from recording.made import Maker
from wirecat.cli.report import write_report
from wirecat.errors import UsageError


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    maker = Maker()
    maker.talk(1)
    return maker.write(tmp_path / "talk.pcapng")


def test_a_page_in_a_file(recording: Path, tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    with wirecat("report", str(recording), "-o", str(output), "--author", "Anna Muster", "--lang", "de") as program:
        assert program.wait() == 0
        assert program.stdout == b""
        assert program.stderr.startswith(f"wirecat: the report is in {output} (".encode())
    page = output.read_text(encoding="utf-8")
    assert "Ein Gespräch mit 127.0.0.1:80" in page
    assert "Anna Muster" in page
    assert os.name != "posix" or output.stat().st_mode & 0o777 == 0o600  # it holds what went over the wire


@pytest.mark.parametrize("output", [[], ["-o", "-"]])
def test_to_stdout(recording: Path, output: list[str]) -> None:
    with wirecat("report", str(recording), *output) as program:
        assert program.wait() == 0
        assert program.stdout.startswith(b"<!DOCTYPE html>")
        assert program.stderr == b""


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("x.svg", ["--picture", "sequence"], b"<svg "),
        ("x.md", [], b"# A talk with"),
        ("x.JSON", ["--picture", "bytes"], b"{"),
        ("x.txt", ["--picture", "latency"], b"<svg "),
        ("x.txt", [], b"<!DOCTYPE"),
        ("x.svg", ["--format", "md"], b"# A talk"),
    ],
)
def test_the_ending_tells_the_format(
    recording: Path, tmp_path: Path, name: str, options: list[str], begins: bytes
) -> None:
    with wirecat("report", "-q", *options, str(recording), "-o", str(tmp_path / name)) as program:
        assert program.wait() == 0
        assert program.stderr == b""
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.pcapng"], b"wirecat: read nothing.pcapng: No such file or directory"),
        ([], b"RECORDING is missing"),
        (["talk.pcapng", "-o", "x.svg"], b"a file of format svg holds one picture. Add --picture"),
        (["talk.pcapng", "-o", "talk.pcapng"], b"that is the recording itself"),
        (["talk.pcapng", "-o", "no/such/folder.html"], b"No such file or directory"),
        (["talk.pcapng", "--lang", "fr"], b"There are: en, de"),
    ],
)
def test_wrong_use(recording: Path, arguments: list[str], says: bytes) -> None:
    with Program(wirecat_command("report", *arguments), cwd=recording.parent) as program:
        assert program.wait() == 2
        assert says in program.stderr
        assert len(program.stderr.splitlines()) == 1
    assert [path.name for path in recording.parent.iterdir()] == ["talk.pcapng"]


def test_what_stood_there_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(b"the old one")
    with path.open("rb") as old:
        write_report(str(path), b"the new one")
        assert sys.platform == "win32" or old.read() == b"the old one"
    assert path.read_bytes() == b"the new one"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_cannot_be_written_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_report(str(tmp_path), b"x")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals are Unix's")
def test_a_page_is_not_poured_over_a_terminal(recording: Path) -> None:
    from terminals import Terminal

    with Terminal(wirecat_command("report", str(recording))) as terminal:
        terminal.wait_for(rb"where to\? A html file is nothing for a terminal: add -o report.html")
        assert terminal.wait() == 2
    with Terminal(wirecat_command("report", str(recording), "--format", "md")) as terminal:
        terminal.wait_for(rb"# A talk with 127.0.0.1:80")
        assert terminal.wait() == 0
