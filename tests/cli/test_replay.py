"""The command ``wirecat replay``: exit codes, and where it says that something differs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from peers import wirecat
from recording.made import Maker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")


@pytest.fixture
def talk(tmp_path: Path) -> str:
    maker = Maker()
    talk = maker.opened(1)
    for direction in ("received", "sent"):
        maker.pieces += talk.chunk(maker.now, direction, b"You told me: hello\n")
    maker.closed(1)
    return str(maker.write(tmp_path / "talk.pcapng"))


@pytest.mark.parametrize(
    ("handler", "code", "told"),
    [
        ("echo", 0, rb"no difference\n"),
        ("reply:You t0ld me: hello\n", 1, rb"#1 differs at byte 5: recorded 'old me.*, got '0ld me.*\n1 connection"),
    ],
)
def test_against_a_server(talk: str, handler: str, code: int, told: bytes) -> None:
    with wirecat("serve", handler, "127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("replay", talk, f"127.0.0.1:{port}", "--original") as replay:
            assert replay.wait() == code
            assert re.search(told, replay.stdout)


def test_as_the_server(talk: str) -> None:
    with wirecat("replay", talk, "127.0.0.1:0", "--as", "server", "--timeout", "60") as replay:
        port = replay.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("connect", port) as client:
            client.send(b"You told me: hello\n")
            client.wait_for("stdout", rb"You told me: hello\n")
            client.close_stdin()
            client.wait()
        assert replay.wait() == 0


def test_wrong_use(talk: str) -> None:
    for words in (["0"], ["1", "--original", "--speed", "2"], ["1", "--speed", "0"], ["1", "--lan"]):
        with wirecat("replay", talk, *words) as replay:
            assert replay.wait() == 2
            assert replay.stdout == b""


def test_a_recording_without_connections(tmp_path: Path) -> None:
    path = Maker().write(tmp_path / "empty")
    with wirecat("replay", str(path), "127.0.0.1:9") as replay:
        assert replay.wait() == 1
        assert b"no connection" in replay.stderr
