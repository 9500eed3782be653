"""The tour's recording: what is served is in it, and without a file nothing is touched."""

from __future__ import annotations

from pathlib import Path

import wirecat
from wirecat.app.tour_recording import TourRecording
from wirecat.recording.reader import read
from wirecat.system.socket_row import SocketRow


def test_what_is_served_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "tour.pcapng"
    recording = TourRecording(path)
    with recording.serving(wirecat.serve)("echo", "127.0.0.1:0") as server:
        with wirecat.connect(server.address) as client:
            client.send(b"Hallo")
            assert client.receive_exactly(5) == b"Hallo"
    with wirecat.listen("127.0.0.1:0") as listener, wirecat.connect(listener.address) as one:
        with listener.accept(5) as other:
            recording.watch(other)
            one.send_line("hi")
            assert other.receive_line() == "hi"
    recording.snapshot([SocketRow("tcp", "ipv4", "127.0.0.1", 1, state="LISTEN")])
    recording.close()
    found = read(path)
    assert [(each.handler, each.client.data, each.server.data) for each in found.connections] == [
        ("echo", 5, 5), ("", 3, 0),
    ]  # fmt: skip
    assert len(found.snapshots[0].rows) == 1


def test_without_a_file_nothing_is_touched() -> None:
    recording = TourRecording(None)
    assert recording.serving(wirecat.serve) is wirecat.serve
    recording.snapshot([])
    recording.close()
