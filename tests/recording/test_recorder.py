"""The recorder: what it was shown stands in the file, and what it could not keep is counted and told there."""

from __future__ import annotations

import threading
from pathlib import Path
from time import monotonic

import pytest

from peers import PATIENCE
from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.recording.model import Chunk
from wirecat.recording.reader import Recording, read
from wirecat.recording.recorder import LEAST_LIMIT, Recorder
from wirecat.system.socket_row import SocketRow
from wirecat.taps.tap import RECEIVED, SENT

HERE, THERE = Address("tcp", "127.0.0.1", 80), Address("tcp", "127.0.0.1", 5000)


def said(recording: Recording) -> list[tuple[str, bytes, int]]:
    return [(each.sender, each.data, each.missing) for each in recording.entries() if isinstance(each, Chunk)]


def test_a_server_and_a_client(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with Recorder(path, verb="serve") as recorder:
        served = recorder.open(HERE, THERE, kind="server", number=1, handler="echo")
        recorder.chunk(served, RECEIVED, b"hello", monotonic())
        recorder.chunk(served, SENT, b"hello", monotonic())
        recorder.chunk(served, SENT, b"", monotonic())  # nothing went by
        recorder.end(served, RECEIVED)
        recorder.close_track(served, "peer", "end")
        recorder.snapshot([SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN")])
        recorder.note("that was it")
        called = recorder.open(THERE, HERE, kind="client")
        recorder.chunk(called, SENT, b"again", monotonic())
        recorder.broke(called)
        recorder.close_track(called, "peer", "reset")
    recording = read(path)
    first, second = recording.connections
    assert (first.id, first.closed_by, first.reason, first.handler) == (1, "client", "end", "echo")
    assert (second.id, second.closed_by, second.reason, second.kind) == (2, "server", "reset", "client")
    assert str(second.client.address) == "127.0.0.1:5000"
    assert said(recording) == [("client", b"hello", 0), ("server", b"hello", 0), ("client", b"again", 0)]
    assert (recording.verb, recording.complete, recording.notes) == ("serve", True, ["that was it"])
    assert len(recording.snapshots) == 1
    assert (recorder.chunks, recorder.bytes, recorder.lost_chunks) == (3, 15, 0)


def test_both_ends_of_one_connection_do_not_mix(tmp_path: Path) -> None:
    with Recorder(tmp_path / "both") as recorder:
        near = recorder.open(HERE, THERE, kind="server")
        far = recorder.open(THERE, HERE, kind="client")
        for track, way in ((far, SENT), (near, RECEIVED)):
            recorder.chunk(track, way, b"once", monotonic())
    recording = read(tmp_path / "both")
    assert [each.client.data for each in recording.connections] == [4, 4]
    assert {str(each.client.address) for each in recording.connections} == {"127.0.0.1:5000"}


def test_numbers_are_those_that_are_wanted_as_far_as_nobody_has_them(tmp_path: Path) -> None:
    with Recorder(tmp_path / "x") as recorder:
        wanted = (3, 1, 3, 2, 2, 0, 10, 1_000_000, 9, 1 << 40)
        given = [recorder.open(HERE, THERE, kind="server", number=number).number for number in wanted]
    assert given == [3, 1, 4, 2, 5, 6, 10, 1_000_000, 1_000_001, 1 << 40]
    assert len(read(tmp_path / "x").connections) == len(wanted)


def test_paths_go_by_loopback(tmp_path: Path) -> None:
    with Recorder(tmp_path / "unix") as recorder:
        track = recorder.open(Address("unix", path="/run/x"), Address("unix", path=""), kind="server")
        recorder.chunk(track, RECEIVED, b"hi", monotonic())
        recorder.detach(track)
        recorder.chunk(track, RECEIVED, b"!", monotonic())
        recorder.close_track(track, "peer", "end")
    (connection,) = read(tmp_path / "unix").connections
    assert (connection.protocol, str(connection.server.address)) == ("unix", "unix:///run/x")
    assert connection.closed_ns is None


def test_times_never_go_back(tmp_path: Path) -> None:
    with Recorder(tmp_path / "times") as recorder:
        track = recorder.open(HERE, THERE, kind="server")
        now = monotonic()
        for when in (now, now - 5, now + 0.001):
            recorder.chunk(track, SENT, b"x", when)
    times = [entry.time_ns for entry in read(tmp_path / "times").entries()]
    assert times == sorted(times)


def test_what_the_queue_refuses_is_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    heard = threading.Event()

    def on_trouble(text: str) -> None:
        told.append(text)
        heard.set()

    recorder = Recorder(tmp_path / "lost", on_trouble=on_trouble)
    track = recorder.open(HERE, THERE, kind="server")
    recorder.chunk(track, SENT, b"before", monotonic())
    with monkeypatch.context() as patch:
        patch.setattr(type(recorder._sink), "has_room", False)
        recorder.chunk(track, SENT, b"x" * 1000, monotonic())
        recorder.chunk(track, SENT, b"y" * 10, monotonic())
    recorder.chunk(track, SENT, b"after", monotonic())
    recorder.close()
    assert heard.wait(PATIENCE)
    assert len(told) == 1
    assert (recorder.lost_chunks, recorder.lost_bytes) == (2, 1010)
    recording = read(tmp_path / "lost")
    assert (recording.lost_chunks, recording.lost_bytes) == (2, 1010)
    assert said(recording) == [("server", b"before", 0), ("server", b"after", 1010)]


def test_what_was_lost_on_the_way_does_not_spoil_the_rest(tmp_path: Path) -> None:
    """Frames may have been lost with it, so what is open is said again."""
    recorder = Recorder(tmp_path / "full")
    track = recorder.open(HERE, THERE, kind="server")
    recorder.chunk(track, SENT, b"before", monotonic())
    recorder._lost_on_the_way(1, 3)
    track.conversation.skip(SENT, 3)
    recorder.chunk(track, SENT, b"after", monotonic())
    recorder.close()
    recording = read(tmp_path / "full")
    assert said(recording) == [("server", b"before", 0), ("server", b"after", 3)]
    assert recording.lost_bytes == 3
    assert len(recording.connections) == 1


def test_a_limit_ends_it(tmp_path: Path) -> None:
    with Recorder(tmp_path / "limited", limit=LEAST_LIMIT) as recorder:
        track = recorder.open(HERE, THERE, kind="server")
        for _ in range(30):
            recorder.chunk(track, SENT, b"x" * 5000, monotonic())
        assert recorder.failure
    assert (tmp_path / "limited").stat().st_size <= LEAST_LIMIT
    recording = read(tmp_path / "limited")
    assert recording.complete
    assert recording.notes == [f"the limit of {LEAST_LIMIT} bytes is reached"]
    assert recording.connections[0].server.chunks + recorder.lost_chunks == 30


def test_rotation_keeps_the_last_files(tmp_path: Path) -> None:
    path = tmp_path / "talk.pcapng"
    with Recorder(path, limit=LEAST_LIMIT, rotate=2) as recorder:
        track = recorder.open(HERE, THERE, kind="server")
        for number in range(50):
            recorder.chunk(track, SENT, b"%05d" % number * 1000, monotonic())
        recorder.close_track(track, "local", "end")
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2
    recording = read(*kept)
    assert recording.complete
    (connection,) = recording.connections
    assert (connection.closed_by, connection.missing) == ("server", 0)
    numbers = [int(data[:5]) for _, data, _ in said(recording)]
    assert numbers == list(range(numbers[0], 50))


def test_options_that_cannot_be(tmp_path: Path) -> None:
    for options in ({"limit": 5}, {"rotate": 2}, {"limit": LEAST_LIMIT, "rotate": 0}):
        with pytest.raises(UsageError):
            Recorder(tmp_path / "x", **options)
    assert not (tmp_path / "x").exists()
