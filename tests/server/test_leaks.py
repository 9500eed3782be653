"""Ten thousand connections later the server has the threads, the descriptors and the memory that it had before."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from peers import Program
from server.clients import connect, eventually, reset
from server.processes import command, linux_only, use, variables

pytestmark = linux_only

WARM_UP, MORE = 1000, 10_000
AT_ONCE = 50
CROWD = 200  # at once while it warms up: what so many need at the same time it keeps, and is no leak

OWN = """
def plain(connection):
    data = connection.receive()
    if data == b"fail":
        raise ValueError("on purpose")
    if data:
        connection.send(data)
    connection.receive()

async def coroutine(connection):
    data = await connection.receive()
    if data == b"fail":
        raise ValueError("on purpose")
    if data:
        await connection.send(data)
    await connection.receive()

class Responds:
    def receive(self, data):
        if data == b"fail":
            raise ValueError("on purpose")
        return data
"""


def come_and_go(port: int, count: int, at_once: int = AT_ONCE) -> None:
    """Connect and end in each of the ways in turn, some at once: without a word, after one, by a reset, by a failure."""
    waiting: list[tuple[int, socket.socket]] = []
    for number in range(count):
        client = connect(port)
        kind = number % 8
        if kind == 0:
            client.close()
            continue
        client.sendall(b"fail" if kind == 1 else b"Hallo")
        waiting.append((kind, client))
        if len(waiting) == at_once or number == count - 1:
            for how, each in waiting:
                end(each, how)
            waiting.clear()


def end(client: socket.socket, kind: int) -> None:
    try:
        assert client.recv(10) == (b"" if kind == 1 else b"Hallo")
        if kind == 2:
            reset(client)
            return
        if kind == 3:
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b""
    finally:
        client.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("drive", "handler", "more"),
    [
        ("threads", "Responds", MORE),
        ("threads", "plain", MORE),
        ("uvloop", "Responds", MORE),
        # The rest is the same code, driven by another loop or beside the responders.
        ("asyncio", "Responds", 2000),
        ("uvloop", "coroutine", 2000),
        ("asyncio", "coroutine", 2000),
    ],
)
def test_nothing_is_left_of_ten_thousand(drive: str, handler: str, more: int, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    words = command(drive, f"{tmp_path}/own.py:{handler}", "127.0.0.1:0", "--json")
    # Into files: lines that wait for a slow reader are memory, and no leak.
    log, said = tmp_path / "log", tmp_path / "said"
    with (
        log.open("wb") as out,
        said.open("wb") as err,
        Program(words, env=variables(drive, tmp_path), stdout=out, stderr=err) as server,
    ):
        eventually(lambda: b'"port": ' in log.read_bytes(), "it listens")
        port = json.loads(log.read_bytes().splitlines()[0])["addresses"][0]["port"]
        threads = 3  # the main one, one that accepts (the loop, where there is one), and one that tells
        connect(port).close()
        eventually(lambda: b'"closed"' in log.read_bytes(), "one has come and gone")
        eventually(lambda: use(server.pid).threads == threads, "all threads are there, and no other")
        idle = use(server.pid)
        come_and_go(port, WARM_UP, CROWD)
        eventually(lambda: use(server.pid)[:2] == idle[:2], "threads and descriptors are back after the warm-up")
        before = use(server.pid)
        come_and_go(port, more)
        eventually(lambda: use(server.pid)[:2] == idle[:2], "threads and descriptors are back")
        after = use(server.pid)
        assert after.memory <= before.memory * 1.05, (before, after)
        server.end()
    assert b"Warning" not in said.read_bytes()
    events = [json.loads(line) for line in log.read_bytes().splitlines()]
    kinds = [each["event"] for each in events]
    assert kinds.count("opened") == kinds.count("closed") == 1 + WARM_UP + more
    assert kinds.count("failed") == (WARM_UP + more) // 8
    reasons = {(each["by"], each["reason"]) for each in events if each["event"] == "closed"}
    assert reasons == {("peer", "end"), ("peer", "reset"), ("server", "handler error")}
    assert events[-1] == {**events[-1], "event": "stopped", "served": 1 + WARM_UP + more, "stuck": 0}
