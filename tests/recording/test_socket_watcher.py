"""The socket table in a recording, as it stood while clients were there."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from time import monotonic

import pytest

from peers import PATIENCE
from wirecat.address import Address
from wirecat.errors import WirecatError
from wirecat.recording import socket_watcher
from wirecat.recording.reader import read
from wirecat.recording.recorder import Recorder
from wirecat.recording.socket_watcher import SocketWatcher


def test_it_looks_when_somebody_comes_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_watcher, "SETTLING", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listener, Recorder(tmp_path / "x") as recorder:
        port = listener.getsockname()[1]
        looked = threading.Event()
        snapshot = recorder.snapshot

        def seen(rows: object) -> None:
            snapshot(rows)  # type: ignore[arg-type]
            looked.set()

        monkeypatch.setattr(recorder, "snapshot", seen)
        watcher = SocketWatcher(recorder, {port})
        with socket.create_connection(("127.0.0.1", port)) as client:
            here = Address("tcp", *client.getsockname()[:2])
            track = recorder.open(here, Address("tcp", "127.0.0.1", port), kind="client")
            assert looked.wait(PATIENCE)
            recorder.chunk(track, "sent", b"x", monotonic())
            watcher.close()
    snapshots = read(tmp_path / "x").snapshots
    assert len(snapshots) >= 2
    rows = snapshots[0].rows
    assert all(port in (row.local_port, row.remote_port) for row in rows)
    assert {row.state for row in rows} >= {"LISTEN", "ESTABLISHED"}


def test_where_nobody_may_look_a_note_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise WirecatError("not allowed")

    monkeypatch.setattr(socket_watcher, "read_socket_table", refuse)
    with Recorder(tmp_path / "x") as recorder:
        SocketWatcher(recorder, {1}).close()
    assert read(tmp_path / "x").notes == ["no socket table: not allowed"]
