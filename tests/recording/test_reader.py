"""Whole files read: one, several, damaged, and what is no recording."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from recording.made import LARGE, TIME, Maker
from wirecat.errors import UsageError
from wirecat.recording.model import Chunk, Mark
from wirecat.recording.reader import Recording, read
from wirecat.recording.snapshot import row_fields
from wirecat.system.socket_row import SocketRow


def said(recording: Recording) -> list[tuple[int, str, bytes]]:
    return [(each.connection, each.sender, each.data) for each in recording.entries() if isinstance(each, Chunk)]


def test_a_file(tmp_path: Path) -> None:
    maker = Maker()
    row = SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN")
    maker.frame("sockets", rows=row_fields([row]))
    maker.frame("note", text="a note\x1b")
    maker.talk(1)
    maker.frame("lost", chunks=2, bytes=300, text="2 chunks were not kept")
    recording = read(maker.write(tmp_path / "a.pcapng"))
    assert (recording.machine, recording.verb, recording.program) == ("here", "serve", "wirecat 1.2.3")
    assert (recording.started_ns, recording.complete, recording.torn, recording.problems) == (TIME, True, False, [])
    assert (recording.lost_chunks, recording.lost_bytes) == (2, 300)
    assert recording.notes == ["a note\\x1b"]
    assert recording.snapshots[0].rows == (row,)
    assert said(recording) == [(1, "client", b"hello\n"), (1, "server", LARGE), (1, "client", b"bye\n")]
    assert [each.data for each in recording.chunks(1)] == [data for _, _, data in said(recording)]
    assert list(recording.chunks(2)) == []
    connection = recording.connection(1)
    assert connection is not None
    assert connection.closed_ns == recording.ended_ns
    assert recording.connection(2) is None


def test_files_of_workers_are_put_together(tmp_path: Path) -> None:
    paths = []
    for number in range(2):
        maker = Maker(uid=str(number))
        maker.now += number * 500
        maker.talk(1)
        paths.append(maker.write(tmp_path / f"{number}.pcapng"))
    recording = read(*paths)
    assert [each.id for each in recording.connections] == [1, 2]
    assert [each.file for each in recording.connections] == [0, 1]
    times = [entry.time_ns for entry in recording.entries()]
    assert times == sorted(times)
    assert len(said(recording)) == 6


def test_parts_of_one_recording_are_one(tmp_path: Path) -> None:
    first, second = Maker(), Maker()
    talk = first.opened(1)
    first.pieces += talk.chunk(first.now + 1, "sent", b"before ")
    second.now += 1000
    second.opened(1, continued=True)
    second.pieces[4:] = talk.chunk(second.now, "sent", b"after")
    second.closed(1)
    recording = read(first.write(tmp_path / "a"), second.write(tmp_path / "b"))
    assert len(recording.connections) == 1
    assert [data for _, _, data in said(recording)] == [b"before ", b"after"]
    assert recording.connections[0].server.data == 12


def test_a_torn_end(tmp_path: Path) -> None:
    maker = Maker()
    maker.talk(1)
    data = maker.bytes()
    path = tmp_path / "torn"
    path.write_bytes(data[:-500])
    recording = read(path)
    assert (recording.torn, recording.complete, len(recording.problems)) == (True, False, 1)
    assert said(recording)[0] == (1, "client", b"hello\n")


@pytest.mark.parametrize("data", [b"", b"text", b"\x7fELF" * 100])
def test_what_is_no_recording(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="no recording"):
        read(path)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(UsageError):
            read(path)
    with pytest.raises(UsageError):
        read()


def whole() -> bytes:
    maker = Maker()
    maker.talk(1)
    maker.talk(2, "::1", scheme="udp")
    maker.frame("sockets", rows=[])
    return maker.bytes()


WHOLE = whole()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.data())
def test_whatever_was_damaged_is_read_as_far_as_it_goes(tmp_path: Path, choose: some.DataObject) -> None:
    data = bytearray(WHOLE)
    for _ in range(choose.draw(some.integers(0, 6))):
        data[choose.draw(some.integers(0, len(data) - 1))] ^= 1 << choose.draw(some.integers(0, 7))
    path = tmp_path / "damaged"
    path.write_bytes(data[: choose.draw(some.integers(0, len(data)))])
    try:
        recording = read(path)
    except UsageError:
        return  # its beginning is gone
    entries = list(recording.entries())
    assert sum(isinstance(each, Mark) and each.name == "problem" for each in entries) == recording.problem_count
