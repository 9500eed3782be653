"""The command ``wirecat record``: a proxy in front of a server, that keeps what goes through it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from peers import wirecat
from plain_peers import everything, serving
from wirecat.recording.model import Chunk
from wirecat.recording.reader import read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")


def test_one_connection(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    target = ""
    with serving(lambda connection: connection.sendall(everything(connection).upper())) as server:
        target = f"127.0.0.1:{server.port}"
        with wirecat("record", "127.0.0.1:0", target, "-o", str(path), "--once") as proxy:
            port = proxy.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1].decode()
            with wirecat("connect", port) as client:
                client.send(b"hello\n")
                client.close_stdin()
                assert client.wait() == 0
                assert client.stdout == b"HELLO\n"
            assert proxy.wait() == 0
            assert re.search(rb"recorded in .*talk\.pcapng", proxy.stderr)
    recording = read(path)
    (connection,) = recording.connections
    assert (connection.kind, connection.facts["target"]) == ("proxy", target)
    assert [(each.sender, each.data) for each in recording.entries() if isinstance(each, Chunk)] == [
        ("client", b"hello\n"), ("server", b"HELLO\n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words", [["udp://127.0.0.1:0", "12345"], ["127.0.0.1:0", "udp://127.0.0.1:5"], ["127.0.0.1:0"]]
)
def test_what_cannot_be(tmp_path: Path, words: list[str]) -> None:
    with wirecat("record", *words, "-o", str(tmp_path / "x")) as proxy:
        assert proxy.wait() == 2
    assert not (tmp_path / "x").exists()
