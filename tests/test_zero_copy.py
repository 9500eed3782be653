"""Bytes moved inside the kernel: between files, pipes and sockets, whole, and given back where a sink takes none."""

from __future__ import annotations

import errno
import hashlib
import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.background import Background, stays

from wirecat import zero_copy
from wirecat.zero_copy import (
    PIPE_SIZE,
    FileMover,
    Mover,
    NotReady,
    PipeMover,
    SinkFailed,
    SourceFailed,
    SpliceMover,
    Unsuitable,
    choose_mover,
    pipe_size,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="splice(2) is Linux'")

SIZES = [0, 1, 65535, 65536, 65537, 5_000_001]


class Ends:
    """Sources that give some bytes, and sinks that collect them, of every kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.open: list[int] = []
        self.threads: list[threading.Thread] = []
        self.collected = bytearray()

    def start(self, call: object, *arguments: object) -> None:
        thread = threading.Thread(target=call, args=arguments, daemon=True)  # type: ignore[arg-type]
        self.threads.append(thread)
        thread.start()

    def source(self, kind: str, data: bytes) -> int:
        if kind == "file":
            path = self.folder / "source"
            path.write_bytes(data)
            descriptor = os.open(path, os.O_RDONLY)
        else:
            ours, theirs = self.pair(kind)
            self.start(self.feed, theirs, data)
            descriptor = ours
        self.open.append(descriptor)
        return descriptor

    def pair(self, kind: str) -> tuple[int, int]:
        """A descriptor to read from, and one to write to."""
        if kind == "pipe":
            return os.pipe()
        if kind == "unix":
            one, other = socket.socketpair()
            return one.detach(), other.detach()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            one = socket.create_connection(listener.getsockname())
            other, _ = listener.accept()
        return one.detach(), other.detach()

    def feed(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view[:300_000]) :]
        os.close(descriptor)

    def fed(self) -> None:
        """Wait until what feeds a source has done: little enough is held by the kernel."""
        for thread in self.threads:
            thread.join(20)

    def sink(self, kind: str) -> int:
        if kind == "file":
            descriptor = os.open(self.folder / "sink", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            self.open.append(descriptor)
            return descriptor
        reads, writes = self.pair(kind)
        self.start(self.drain, reads)
        return writes  # closed by finish

    def drain(self, descriptor: int) -> None:
        while data := os.read(descriptor, 1 << 20):
            self.collected += data
        os.close(descriptor)

    def finish(self, kind: str, sink: int) -> bytes:
        if kind == "file":
            return (self.folder / "sink").read_bytes()
        os.close(sink)
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()
        return bytes(self.collected)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    made = Ends(tmp_path)
    yield made
    for descriptor in made.open:
        os.close(descriptor)


def step(mover: Mover, source: int, sink: int) -> int:
    """One move, as its callers do it: not before there is something, and again where there was no room."""
    while True:
        select.select([source], [], [], 20)
        try:
            return mover.move()
        except NotReady:
            select.select([], [sink], [], 20)


def chosen(source: int, sink: int) -> Mover:
    mover = choose_mover(source, sink)
    assert isinstance(mover, Mover), mover
    return mover


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("come", "go", "kind"),
    [
        ("file", "tcp", FileMover), ("file", "unix", FileMover), ("file", "pipe", PipeMover),
        ("tcp", "pipe", PipeMover), ("pipe", "tcp", PipeMover), ("pipe", "file", PipeMover),
        ("pipe", "pipe", PipeMover), ("tcp", "tcp", SpliceMover), ("tcp", "file", SpliceMover),
        ("unix", "tcp", SpliceMover),
    ],
)  # fmt: skip
def test_all_of_it_arrives(ends: Ends, come: str, go: str, kind: type[Mover], size: int) -> None:
    data = os.urandom(size)
    sink = ends.sink(go)
    source = ends.source(come, data)
    mover = chosen(source, sink)
    assert isinstance(mover, kind)
    total = 0
    while count := step(mover, source, sink):
        total += count
    mover.close()
    arrived = ends.finish(go, sink)
    assert total == mover.taken == mover.given == size
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(data).digest()


def test_a_file_that_grows_is_sent_to_its_new_end(ends: Ends) -> None:
    sink = ends.sink("tcp")
    source = ends.source("file", b"first ")
    mover = chosen(source, sink)
    assert mover.move() == 6
    with (ends.folder / "source").open("ab") as more:
        more.write(b"second")
    assert mover.move() == 6
    assert mover.move() == 0
    assert ends.finish("tcp", sink) == b"first second"


def test_a_file_that_shrinks_just_ends(ends: Ends) -> None:
    sink = ends.sink("tcp")
    source = ends.source("file", b"x" * 1000)
    mover = chosen(source, sink)
    os.truncate(ends.folder / "source", 10)
    assert mover.move() == 10
    assert mover.move() == 0
    ends.finish("tcp", sink)


def test_a_file_goes_on_from_where_it_was_read_to(ends: Ends) -> None:
    sink = ends.sink("tcp")
    source = ends.source("file", b"header body")
    assert os.read(source, 7) == b"header "
    mover = chosen(source, sink)
    assert mover.move() == 4
    assert ends.finish("tcp", sink) == b"body"


def test_what_the_sink_cannot_take_is_given_back(ends: Ends) -> None:
    # A file that is opened for appending is none for splice(2): EINVAL, when the bytes have left their source already.
    source = ends.source("tcp", b"not lost")
    sink = os.open(ends.folder / "appended", os.O_WRONLY | os.O_CREAT)
    ends.open.append(sink)
    mover = chosen(source, sink)
    fcntl = pytest.importorskip("fcntl")
    fcntl.fcntl(sink, fcntl.F_SETFL, os.O_APPEND)
    with pytest.raises(Unsuitable):
        mover.move()
    assert (mover.taken, mover.given, mover.inside) == (8, 0, 8)
    assert mover.leftover() == b"not lost"
    assert mover.leftover() == b""
    assert mover.inside == 0
    mover.close()


@pytest.mark.parametrize("come", ["tcp", "unix", "file", "pipe"])
def test_a_sink_that_does_not_wait_and_is_full(ends: Ends, come: str) -> None:
    """What fitted in has gone over, the rest stays with the mover or with its source: nothing twice, nothing lost."""
    data = os.urandom(1 << 20) * 24
    reads, sink = ends.pair("tcp")
    os.set_blocking(sink, False)
    source = ends.source(come, data)
    mover = chosen(source, sink)
    with pytest.raises(NotReady):
        while True:
            select.select([source], [], [], 20)
            mover.move()
    assert 0 < mover.given < len(data)
    ends.start(ends.drain, reads)
    while mover.given < len(data):
        step(mover, source, sink)
    mover.close()
    arrived = ends.finish("tcp", sink)
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(data).digest()


def test_a_pipe_that_is_empty_is_not_waited_for(ends: Ends) -> None:
    reads, writes = ends.pair("pipe")
    ours, theirs = ends.pair("unix")
    ends.open += [reads, writes, ours, theirs]
    with pytest.raises(NotReady):
        chosen(reads, ours).move()


@pytest.mark.parametrize("come", ["tcp", "unix"])
def test_what_was_waited_for_can_be_taken_out_again(ends: Ends, come: str) -> None:
    (ours, theirs), (far, sink) = ends.pair(come), ends.pair("tcp")
    ends.open += [ours, sink, far]
    mover = chosen(ours, sink)
    assert not mover.keeps
    os.write(theirs, b"one")
    assert mover.move() == 3
    assert mover.keeps
    with Background(mover.take) as taking:
        assert stays(lambda: taking.running)
        os.write(theirs, b"two")
        assert taking.result() == mover.inside == 3
    assert mover.leftover() == b"two"
    os.write(theirs, b"three")
    assert mover.take() == 5
    assert mover.take() == 5  # no more is taken in before that has gone
    assert mover.move() == 5
    assert os.read(far, 100) == b"onethree"
    os.close(theirs)
    assert mover.take() == 0
    mover.close()


def test_a_sink_that_breaks_tells_how_much_was_lost(ends: Ends) -> None:
    source = ends.source("tcp", b"x" * 5000)
    ours, theirs = ends.pair("unix")
    os.close(theirs)
    ends.open.append(ours)
    mover = chosen(source, ours)
    with pytest.raises(SinkFailed) as failure:
        mover.move()
    assert isinstance(failure.value.error, BrokenPipeError)
    assert mover.inside == mover.taken - mover.given > 0
    mover.close()


@pytest.mark.parametrize(("come", "go"), [("file", "unix"), ("pipe", "unix"), ("unix", "pipe"), ("file", "pipe")])
def test_a_sink_that_nobody_reads_is_the_one_that_fails(ends: Ends, come: str, go: str) -> None:
    source = ends.source(come, b"x" * 5000)
    reads, writes = ends.pair(go)
    ends.open.append(writes)
    mover = chosen(source, writes)
    os.close(reads)
    select.select([source], [], [], 20)
    with pytest.raises(SinkFailed) as failure:
        mover.move()
    assert isinstance(failure.value.error, BrokenPipeError)


def test_a_source_that_breaks(ends: Ends) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        server, _ = listener.accept()
        with server:
            server.sendall(b"unread by its peer")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
            with (ends.folder / "sink").open("wb") as sink:
                mover = chosen(server.fileno(), sink.fileno())
                with pytest.raises(SourceFailed) as failure:
                    while mover.move():
                        pass
                mover.close()
    assert isinstance(failure.value.error, ConnectionResetError)


def test_what_is_not_moved_so_is_told_in_words(tmp_path: Path) -> None:
    with (tmp_path / "one").open("wb+") as one, (tmp_path / "two").open("wb+") as two:
        assert choose_mover(one.fileno(), two.fileno()) == "a file to a file"
        assert choose_mover(-1, two.fileno()) == "bad file descriptor"
    terminal, slave = os.openpty()
    with socket.socket() as end:
        assert choose_mover(slave, end.fileno()) == "one end is a terminal"
        assert choose_mover(end.fileno(), slave) == "one end is a terminal"
        with (tmp_path / "two").open("ab") as appended, Path(os.devnull).open("rb") as null:
            assert choose_mover(end.fileno(), appended.fileno()) == "the output is open for appending"
            assert choose_mover(null.fileno(), end.fileno()) == "the input is a device"
    os.close(terminal)
    os.close(slave)


def test_no_descriptor_is_left(ends: Ends) -> None:
    source = ends.source("tcp", b"abc")
    sink = ends.sink("file")
    ends.fed()
    before = set(os.listdir("/proc/self/fd"))
    mover = chosen(source, sink)
    while step(mover, source, sink):
        pass
    mover.close()
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_pipe_is_made_for_the_first_piece_and_widened_for_the_first_large_one(ends: Ends) -> None:
    source = ends.source("unix", b"x" * 50_000)
    sink = ends.sink("file")
    ends.fed()
    before = set(os.listdir("/proc/self/fd"))
    mover = chosen(source, sink)
    assert set(os.listdir("/proc/self/fd")) == before
    select.select([source], [], [], 20)
    assert 0 < mover.move(1000) <= 4096
    pipe = max(
        int(name) for name in set(os.listdir("/proc/self/fd")) - before if os.path.exists(f"/proc/self/fd/{name}")
    )
    narrow = pipe_size(pipe)
    assert mover.move(PIPE_SIZE)
    assert pipe_size(pipe) >= narrow
    mover.close()
    assert set(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("what", ["no descriptor", "no room"])
def test_where_there_is_no_good_pipe_it_is_copied(ends: Ends, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ends.source("unix", b"abc")
    ends.fed()
    mover = chosen(source, ends.sink("file"))

    def none_left() -> tuple[int, int]:
        raise OSError(errno.EMFILE, "Too many open files")

    if what == "no descriptor":
        monkeypatch.setattr(zero_copy.os, "pipe", none_left)
    else:
        monkeypatch.setattr(zero_copy, "pipe_size", lambda pipe: 8192)
    with pytest.raises(Unsuitable):
        mover.move()
    monkeypatch.undo()
    assert (mover.taken, mover.leftover()) == (0, b"")
    mover.close()
