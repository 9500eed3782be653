"""The recording of one of several processes."""

from __future__ import annotations

import socket
from pathlib import Path

from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.recording.reader import read
from wirecat.recording.worker_tap import NAME, worker_path
from wirecat.taps.named import NamedTap, make_named

SETTINGS = {"verb": "serve", "strict": False, "durable": False, "limit": None, "rotate": None, "kind": "server"}


def test_each_has_a_file_of_its_own(tmp_path: Path) -> None:
    named = NamedTap(NAME, path=str(tmp_path / "talk.pcapng"), **SETTINGS)
    for worker, life in ((1, 1), (2, 1), (1, 2)):
        make_named(named.task(worker, life)).close()
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["talk.worker1-2.pcapng", "talk.worker1.pcapng", "talk.worker2.pcapng"]
    assert read(*files).complete
    assert worker_path("a", 3) == "a.worker3"


def test_each_keeps_the_socket_table_of_its_port(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    tap = make_named(NamedTap(NAME, path=str(path), **SETTINGS).task(1))
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        with Connection(SocketStream(listener.accept()[0]), 1) as connection:
            connection.attach(tap)
            tap.close()  # looks, where it has not yet
        port = listener.getsockname()[1]
    rows = read(worker_path(str(path), 1)).snapshots[0].rows
    assert {row.state for row in rows} >= {"LISTEN", "ESTABLISHED"}
    assert all(port in (row.local_port, row.remote_port) for row in rows)
