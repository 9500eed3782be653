"""The file behind its queue: what it takes, what it refuses, and what a full disk does to it."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import PATIENCE
from wirecat.errors import UsageError
from wirecat.recording import sink
from wirecat.recording.sink import Sink


class Lost:
    """Counts what is told to be lost."""

    def __init__(self) -> None:
        self.chunks = self.bytes = 0
        self.told = threading.Event()

    def __call__(self, chunks: int, data: int) -> None:
        self.chunks += chunks
        self.bytes += data
        self.told.set()


@pytest.fixture
def lost() -> Iterator[Lost]:
    return Lost()


def test_all_is_written_in_order(tmp_path: Path, lost: Lost) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"what was there before")
    path.chmod(0o644)
    made = Sink(str(path), durable=True, on_lost=lost)
    for number in range(3000):
        assert made.put([b"%d" % number, b"", b"\n"], 1, 1)
    made.close()
    assert path.read_bytes() == b"".join(b"%d\n" % number for number in range(3000))
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert lost.chunks == 0


def test_it_is_written_soon(tmp_path: Path, lost: Lost) -> None:
    """Without being closed: what has been handed to the kernel survives the end of the program."""
    path = tmp_path / "file"
    made = Sink(str(path), durable=False, on_lost=lost)
    try:
        made.put([b"here"], 1, 4)
        with made._changed:
            assert made._room.wait_for(lambda: not made._waiting, PATIENCE)
        assert path.read_bytes() == b"here"
    finally:
        made.close()


def test_it_goes_on_in_another_file(tmp_path: Path, lost: Lost) -> None:
    made = Sink(str(tmp_path / "a"), durable=False, on_lost=lost, head=[b"A:"], keep=2)
    made.put([b"first"])
    made.switch(str(tmp_path / "b"), [b"B:"])
    made.put([b"second"])
    made.switch(str(tmp_path / "c"), [b"C:"])
    made.put([b"third"])
    made.close()
    assert [(tmp_path / name).read_bytes() for name in "bc"] == [b"B:second", b"C:third"]
    assert not (tmp_path / "a").exists()


def test_sink_full_disk_each_file_begins_with_its_head_or_is_not_there(
    tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in a file can be read without its beginning, and a file with nothing in it cannot be read at all."""
    monkeypatch.setattr(sink, "RETRY", 0.0)
    disk = Disk(monkeypatch)
    disk.open.set()
    made = Sink(str(tmp_path / "a"), durable=False, on_lost=lost, head=[b"A:"], keep=3)
    made.put([b"first"])
    with made._changed:
        assert made._room.wait_for(lambda: not made._waiting, PATIENCE)
    disk.full = True
    for name in "bcd":
        made.switch(str(tmp_path / name), [name.upper().encode(), b":"])
        made.put([b"lost"], 1, 4)
    with made._changed:
        assert made._room.wait_for(lambda: not made._waiting, PATIENCE)
    assert lost.chunks == 3
    assert isinstance(made.failure, OSError) and made.failure.errno == errno.ENOSPC
    disk.full = False
    made.put([b"fourth"], 1, 6)
    made.close()
    contents = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert contents == {"a": b"A:first", "d": b"D:fourth"}, (
        "no file that is worth something was removed for an empty one"
    )


def test_sink_next_file_cannot_be_opened_is_tried_again(
    tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "RETRY", 0.0)
    made = Sink(str(tmp_path / "a"), durable=False, on_lost=lost, head=[b"A:"])
    made.put([b"first"], 1, 5)
    (tmp_path / "b").mkdir()
    made.switch(str(tmp_path / "b"), [b"B:"])
    made.put([b"lost"], 1, 4)
    assert lost.told.wait(PATIENCE)
    assert isinstance(made.failure, UsageError) and made.failure.message == "Is a directory"
    (tmp_path / "b").rmdir()
    made.put([b"second"], 1, 6)
    made.close()
    assert made.failure is None and lost.chunks == 1
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"A:first", b"B:second"]


class Disk:
    """Stands in for the system's writing: takes nothing until it is let, or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.full = False
        self._write = sink._write
        monkeypatch.setattr(sink, "_write", self.write)

    def write(self, pieces: list[bytes | memoryview], descriptor: int) -> None:
        assert self.open.wait(PATIENCE)
        if self.full:
            os.write(descriptor, bytes(pieces[0])[:1])  # a part of it, as disks do
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._write(pieces, descriptor)


def test_what_does_not_fit_is_refused(tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "MOST_WAITING", 100)
    disk = Disk(monkeypatch)
    made = Sink(str(tmp_path / "file"), durable=False, on_lost=lost)
    assert made.put([b"x" * 100], 1, 100)
    assert not made.has_room
    assert not made.put([b"y"], 1, 1)
    assert made.put([b"z"])  # what holds no chunk finds room still
    waited = threading.Thread(target=made.wait_for_room)
    waited.start()
    disk.open.set()
    waited.join(PATIENCE)
    assert not waited.is_alive()
    made.close()
    assert (tmp_path / "file").read_bytes() == b"x" * 100 + b"z"


def test_a_full_disk_leaves_no_half(tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "RETRY", 0.0)
    disk = Disk(monkeypatch)
    disk.open.set()
    path = tmp_path / "file"
    made = Sink(str(path), durable=False, on_lost=lost)
    made.put([b"before "], 1, 7)
    with made._changed:
        assert made._room.wait_for(lambda: not made._waiting, PATIENCE)
    disk.full = True
    made.put([b"lost"], 2, 4)
    assert lost.told.wait(PATIENCE)
    assert (lost.chunks, lost.bytes) == (2, 4)
    assert made.failure is not None
    disk.full = False
    made.put([b"after"], 1, 5)
    made.close()
    assert path.read_bytes() == b"before after"
    assert made.failure is None


def test_a_disk_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "FAREWELL", 0.1)
    disk = Disk(monkeypatch)
    made = Sink(str(tmp_path / "file"), durable=False, on_lost=lost)
    made.put([b"x"], 1, 1)
    made.close()
    assert made._thread.is_alive()
    disk.open.set()
    made._thread.join(PATIENCE)
    assert not made._thread.is_alive()


@pytest.mark.parametrize("name", ["missing/file", "", "a\0b"])
def test_what_cannot_be_opened(tmp_path: Path, lost: Lost, name: str) -> None:
    with pytest.raises(UsageError):
        Sink(str(tmp_path / name), durable=False, on_lost=lost)


def test_how_much_may_wait_goes_by_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = {"SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", memory.__getitem__, raising=False)
    for gibibytes, most in ((1, 64 << 20), (4, 128 << 20), (64, 256 << 20)):
        memory["SC_PHYS_PAGES"] = (gibibytes << 30) // 4096
        assert sink.most_waiting() == most

    def refuse(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", refuse, raising=False)
    assert sink.most_waiting() == 64 << 20
