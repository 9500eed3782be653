"""The command ``wirecat show``: transcripts of recordings and captures, whole, damaged, and still growing."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from peers import wirecat
from recording.made import LARGE, TIME, Maker
from wirecat.wire import pcapng
from wirecat.wire.segment import SYN, Way

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
    for words in (
        ["--direction", "up"],
        ["--raw"],
        ["--raw", "--hex", "--connection", "1", "--direction", "client"],
        ["--grep", "("],
        ["--from", "never"],
        ["--follow", talk],
    ):
        with wirecat("show", talk, *words) as program:
            assert program.wait() == 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_once_and_compressed_or_not(talk: str, pack: Callable[[bytes], bytes]) -> None:
    with wirecat("show", "-", "--grep", "bye") as program:
        program.send(pack(Path(talk).read_bytes()))
        program.close_stdin()
        assert program.wait() == 0
        assert program.stdout.count(b"> bye") == 2


def test_pipe_is_read_by_every_command(talk: str, tmp_path: Path) -> None:
    packed = tmp_path / "talk.gz"
    packed.write_bytes(gzip.compress(Path(talk).read_bytes()))
    for words in (["show"], ["report", "--format", "md"]):
        with wirecat(*words, "/dev/stdin") as program:
            program.send(packed.read_bytes())
            program.close_stdin()
            assert program.wait() == 0
            assert b"hello" in program.stdout


def test_raw_writes_the_exact_bytes(talk: str) -> None:
    with wirecat("show", talk, "--raw", "--connection", "1", "--direction", "server") as program:
        assert program.wait() == 0
        assert program.stdout == LARGE


def test_raw_reports_missing_bytes(tmp_path: Path) -> None:
    maker = Maker()
    conversation = maker.opened(1)
    maker.pieces += conversation.chunk(maker.now, "sent", b"one")
    conversation.skip("sent", 1000)
    maker.pieces += conversation.chunk(maker.now, "sent", b"two")
    path = str(maker.write(tmp_path / "x"))
    with wirecat("show", path, "--raw", "--connection", "1", "--direction", "server") as program:
        assert program.wait() == 0
        assert program.stdout == b"onetwo"
        assert b"1000 bytes that went over the wire are missing in the output" in program.stderr


@pytest.mark.parametrize("words", [[], ["--json"], ["--raw", "--direction", "client"]])
def test_connection_that_is_not_there_is_an_error(talk: str, words: list[str]) -> None:
    with wirecat("show", talk, "--connection", "9", *words) as program:
        assert program.wait() == 2
        assert b"there is no connection 9: its connections are 1 to 2" in program.stderr
        assert program.stdout == b""


def test_port_scan_is_attempts_and_no_connections(tmp_path: Path) -> None:
    data = pcapng.section_header("x") + pcapng.interface()
    for number in range(1989):
        way = Way(bytes([10, 0, 0, 1]), 40_000, bytes([10, 0, 0, 2]), number + 1)
        data += b"".join(pcapng.packet(TIME + number, (way.tcp(number, 0, SYN),)))
    (tmp_path / "scan").write_bytes(data)
    with wirecat("show", str(tmp_path / "scan")) as program:
        assert program.wait() == 0
        lines = program.stdout.decode().splitlines()
        assert b"1,989 attempts to connect, none answered" in program.stderr
    assert len(lines) == 11
    assert lines[0].endswith("10.0.0.1:40000 tried to connect to 10.0.0.2:1: no answer to 1 SYN (tcp)")
    assert lines[-1] == "… and 1,979 more attempts to connect"


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
