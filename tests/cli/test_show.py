"""The command ``wirecat show``: transcripts of recordings and captures, whole, damaged, and still growing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from peers import wirecat
from recording.made import LARGE, Maker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")


@pytest.fixture
def talk(tmp_path: Path) -> str:
    maker = Maker()
    maker.talk(1, handler="echo")
    maker.now += 3_000_000_000
    maker.talk(2, "::1")
    return str(maker.write(tmp_path / "talk.pcapng"))


def shown(*arguments: str) -> list[str]:
    with wirecat("show", *arguments) as program:
        assert program.wait() == 0
        return program.stdout.decode().splitlines()


def test_a_transcript(talk: str) -> None:
    with wirecat("show", talk) as program:
        assert program.wait() == 0
        lines = program.stdout.decode().splitlines()
        assert b"recorded by wirecat 1.2.3 on here (serve)" in program.stderr
        assert b"2 connections" in program.stderr
    assert lines[0].endswith("#1 127.0.0.1:50001 connected to 127.0.0.1:80 (tcp; handler echo)")
    assert lines[1].endswith("#1 > hello\\n")
    assert "… 3.0 s" in lines
    assert lines[-1].endswith("#2 closed by the client after 0 ms: 10 B >, 179 kB <")


def test_what_is_asked_for(talk: str) -> None:
    assert [line[16:] for line in shown(talk, "--grep", "bye", "--connection", "2")] == ["#2 > bye\\n"]
    assert len(shown(talk, "--direction", ">", "--peer", ":50001")) == 3
    assert shown(talk, "--from", "2", "--peer", "127.0.0.1") == []
    assert shown(talk, "--hex", "--grep", "^hello")[1].startswith("  0000   68 65 6c 6c 6f 0a")
    chunks = [json.loads(line) for line in shown(talk, "--json")]
    assert [each["size"] for each in chunks if each["event"] == "chunk"] == [6, len(LARGE), 4] * 2


def test_a_torn_file_is_shown_as_far_as_it_goes(talk: str, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    torn.write_bytes(Path(talk).read_bytes()[:-300])
    with wirecat("show", str(torn)) as program:
        assert program.wait() == 0
        assert b"the file ends in the middle of a block" in program.stderr
        assert b"#2 > bye" in program.stdout


@pytest.mark.parametrize("data", [b"", b"no recording"])
def test_what_is_no_recording(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    for name in ("x", "missing"):
        with wirecat("show", str(tmp_path / name)) as program:
            assert program.wait() == 2
            assert program.stderr.count(b"\n") == 1
            assert program.stdout == b""


def test_wrong_use(talk: str) -> None:
    for words in (["--direction", "up"], ["--grep", "("], ["--from", "never"], ["--follow", talk]):
        with wirecat("show", talk, *words) as program:
            assert program.wait() == 2


def test_following_a_file_that_grows(tmp_path: Path) -> None:
    maker = Maker()
    maker.talk(1)
    first = maker.bytes(ended=False)
    maker.talk(2)
    whole = maker.bytes()
    path = tmp_path / "growing"
    path.write_bytes(first + whole[len(first) : len(first) + 50])  # a block that is not whole yet
    with wirecat("show", "--follow", str(path)) as program:
        program.wait_for("stdout", b"#1 closed by the client")
        with path.open("ab") as file:
            file.write(whole[len(first) + 50 :])
        assert program.wait() == 0
        assert b"#2 > hello" in program.stdout
        assert b"damaged" not in program.stdout
