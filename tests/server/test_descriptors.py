"""No descriptors left: those that are here are served, nothing spins, and it goes on when some are free."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from peers import Program
from server.clients import ask, connect, eventually, exactly
from server.processes import DRIVES, command, linux_only, use, variables

pytestmark = linux_only

CLIENTS = 100
DESCRIPTORS = 40


@pytest.mark.parametrize("drive", DRIVES)
def test_a_server_without_descriptors(drive: str, tmp_path: Path) -> None:
    words = command(drive, "echo", "127.0.0.1:0", "--max-connections", "1000", descriptors=DESCRIPTORS)
    with Program(words, env=variables(drive, tmp_path)) as server:
        port = int(server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1])
        clients = [connect(port) for _ in range(CLIENTS)]
        said = server.wait_for("stderr", rb"cannot accept: Too many open files \((\d+) connections are open\)")
        assert f"asked for, but {DESCRIPTORS} open files are allowed".encode() in server.stderr
        count = int(said[1])
        assert DESCRIPTORS // 2 < count < DESCRIPTORS
        served, queued = clients[:count], clients[count:]
        for client in served:
            assert ask(client, b"x") == b"x"

        before = use(server.pid)
        threading.Event().wait(1.5)
        spent = use(server.pid).processor - before.processor
        assert spent < 0.2, f"{spent} s of processor time while there was nothing to do"

        for client in served[:12]:  # where some go others are let in; libuv opens a descriptor or two of its own
            client.close()
        for client in queued[:10]:
            client.sendall(b"y")
        for client in queued[:10]:
            assert exactly(client, 1) == b"y"
        assert server.stderr.count(b"cannot accept") == 1, "it is told once"

        for client in [*served, *queued]:
            client.sendall(b"z") if client.fileno() >= 0 and client in queued else None
            client.close()
        eventually(lambda: server.stderr.count(b"closed by") == CLIENTS, "all were served in the end")
        with connect(port) as client:
            assert ask(client, b"x") == b"x"


@pytest.mark.parametrize("drive", DRIVES)
def test_its_own_limit_keeps_it_from_that(drive: str, tmp_path: Path) -> None:
    with Program(
        command(drive, "echo", "127.0.0.1:0", descriptors=DESCRIPTORS), env=variables(drive, tmp_path)
    ) as server:
        port = int(server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1])
        said = server.wait_for("stderr", rb"at most (\d+) connections at once \(40 open files are allowed\)")
        limit = int(said[1])
        assert 10 <= limit < DESCRIPTORS
        clients: list[socket.socket] = []
        for number in range(CLIENTS):
            clients.append(connect(port))
            if number < limit:
                assert ask(clients[-1], b"x") == b"x"
        eventually(lambda: server.stderr.count(b" denied: connection limit reached") == CLIENTS - limit, "denials")
        assert b"cannot accept" not in server.stderr
        for client in clients:
            client.close()
