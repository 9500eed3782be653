"""One direction of the pump: whole whichever way it goes, decided anew at each piece, and told what way that is."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything, reset
from wirecat import zero_copy
from wirecat.carrier import Carrier
from wirecat.connection import Connection
from wirecat.endpoints.exec import start_program
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import ConnectionBroken, DeadlineExpired, WirecatError
from wirecat.taps.tap import RECEIVED, SENT, Tap

linux = pytest.mark.skipif(sys.platform != "linux", reason="splice(2) is Linux'")
posix = pytest.mark.skipif(sys.platform == "win32", reason="waits for pipes in POSIX' way")
pytestmark = posix

SIZES = [0, 1, 65535, 65536, 65537, 4_000_003]
KINDS = ["file", "pipe", "tcp", "unix", "exec"]


class Ends:
    """Connections of every kind to carry from and to, and what is at their other ends."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self.stack = stack
        self.null = self.keep(os.open(os.devnull, os.O_RDWR))
        self.reports: list[str] = []

    def keep(self, descriptor: int) -> int:
        self.stack.callback(os.close, descriptor)
        return descriptor

    def stdio(self, source: int, sink: int) -> Connection:
        stream = StdioStream(source, sink)
        self.stack.callback(stream.close)
        return Connection(stream)

    def pair(self, kind: str) -> tuple[Connection, socket.socket]:
        """A connection, and a plain socket as its peer."""
        if kind == "unix":
            ours, theirs = socket.socketpair()
        else:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                theirs = socket.create_connection(listener.getsockname())
                ours, _ = listener.accept()
        theirs.settimeout(PATIENCE)
        connection = Connection(SocketStream(ours))
        self.stack.callback(theirs.close)
        self.stack.callback(connection.close)
        return connection, theirs

    def source(self, kind: str, data: bytes) -> Connection:
        """A connection that gives `data` and ends."""
        if kind in ("file", "exec"):
            path = self.folder / "source"
            path.write_bytes(data)
            if kind == "exec":
                program = start_program(["cat", str(path)])
                self.stack.callback(program.close)
                return Connection(program)
            return self.stdio(self.keep(os.open(path, os.O_RDONLY)), self.null)
        if kind == "pipe":
            reads, writes = os.pipe()
            self.background(lambda: self.write(writes, data))
            return self.stdio(self.keep(reads), self.null)
        connection, peer = self.pair(kind)

        def send() -> None:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)

        self.background(send)
        return connection

    def write(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.close(descriptor)

    def background(self, work: Callable[[], object]) -> None:
        self.stack.enter_context(Background(work))

    def sink(self, kind: str) -> tuple[Connection, Callable[[], bytes]]:
        """A connection, and a function that gives all that arrived behind it, once it has ended."""
        path = self.folder / "sink"
        if kind == "file":
            descriptor = self.keep(os.open(path, os.O_WRONLY | os.O_CREAT))
            return self.stdio(self.null, descriptor), path.read_bytes
        if kind == "exec":
            program = start_program(f"cat > '{path}'")
            self.stack.callback(program.close)

            def written() -> bytes:
                assert program.receive(1) == b"", "the program ends"
                return path.read_bytes()

            return Connection(program), written
        if kind == "pipe":
            reads, writes = os.pipe()
            reading = self.stack.enter_context(Background(lambda: self.drain(reads)))

            def read() -> bytes:
                os.close(writes)
                return reading.result()

            return self.stdio(self.null, writes), read
        connection, peer = self.pair(kind)
        receiving = self.stack.enter_context(Background(lambda: everything(peer)))
        return connection, receiving.result

    def drain(self, descriptor: int) -> bytes:
        with open(descriptor, "rb") as file:
            return file.read()

    def carrier(self, source: Connection, sink: Connection, limit: int = 1 << 20) -> Carrier:
        return Carrier(source, sink, self.reports.append, limit)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    with contextlib.ExitStack() as stack:
        yield Ends(tmp_path, stack)


def same(one: bytes, other: bytes) -> bool:
    return hashlib.sha256(one).digest() == hashlib.sha256(other).digest()


def broken_by(carrier: Carrier) -> ConnectionBroken:
    """What breaks it, which something does."""
    with pytest.raises(ConnectionBroken) as failure:
        carrier.carry()
    return failure.value


class Seen(Tap):
    """Observes, and counts."""

    def __init__(self) -> None:
        self.data = b""

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.data += data
        return None


# Whole, whichever way


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("go", KINDS)
@pytest.mark.parametrize("come", KINDS)
def test_all_of_it_arrives(ends: Ends, come: str, go: str, size: int) -> None:
    data = os.urandom(size)
    sink, arrived = ends.sink(go)
    source = ends.source(come, data)
    carrier = ends.carrier(source, sink)
    carrier.carry()
    carrier.end()
    assert same(arrived(), data)
    assert carrier.moved == source.bytes_received == sink.bytes_sent == size
    assert source.ended
    expected = "copy: a file to a file" if (come, go) == ("file", "file") else "zero-copy"
    assert ends.reports == ([expected] if size else []) or sys.platform != "linux"


@pytest.mark.parametrize("limit", [1 << 12, 1 << 16])
@pytest.mark.parametrize(("come", "go"), [("tcp", "tcp"), ("file", "tcp"), ("pipe", "tcp"), ("tcp", "pipe")])
def test_pieces_may_be_small(ends: Ends, come: str, go: str, limit: int) -> None:
    data = os.urandom(300_001)
    sink, arrived = ends.sink(go)
    carrier = ends.carrier(ends.source(come, data), sink, limit)
    carrier.carry()
    carrier.end()
    assert same(arrived(), data)


@linux
@pytest.mark.parametrize("come", ["file", "pipe", "tcp"])
@pytest.mark.parametrize("go", ["tcp", "pipe", "exec"])
def test_a_reader_that_stalls_and_goes_on(ends: Ends, come: str, go: str) -> None:
    data = os.urandom(16_000_000)
    source = ends.source(come, data)
    if go == "tcp":
        sink, peer = ends.pair("tcp")
        read: Callable[[], bytes] = lambda: everything(peer)  # noqa: E731
    elif go == "pipe":
        reads, writes = os.pipe()
        sink, read = ends.stdio(ends.null, writes), lambda: ends.drain(reads)
    else:
        go_on = ends.folder / "go on"
        os.mkfifo(go_on)
        sink = Connection(start_program(f"cat '{go_on}' && cat > '{ends.folder / 'sink'}'"))
        ends.stack.callback(sink.close)

        def read() -> bytes:
            go_on.write_bytes(b"")
            assert sink.receive() is None
            return (ends.folder / "sink").read_bytes()

    carrier = ends.carrier(source, sink)

    def carry() -> None:
        carrier.carry()
        carrier.end()
        if go == "pipe":
            os.close(writes)

    with Background(carry) as carrying:
        assert stays(lambda: carrying.running)
        assert carrier.moved < len(data)
        assert same(read(), data)
        carrying.result()
    assert ends.reports == ["zero-copy"]


def test_a_writer_that_is_slow(ends: Ends) -> None:
    source, peer = ends.pair("tcp")
    sink, far = ends.pair("tcp")
    carrier = ends.carrier(source, sink)
    with Background(carrier.carry):
        for number in range(200):
            peer.sendall(bytes([number]))
            assert far.recv(100) == bytes([number])
        peer.close()
    assert carrier.moved == 200


# A file that changes


@pytest.mark.parametrize("go", ["tcp", "pipe"])
def test_a_file_that_grows_is_sent_to_its_new_end(ends: Ends, go: str) -> None:
    path = ends.folder / "source"
    path.write_bytes(b"first ")
    descriptor = ends.keep(os.open(path, os.O_RDONLY))
    sink, arrived = ends.sink(go)

    def grow(how: str) -> None:
        with path.open("ab") as more:
            more.write(b"second")

    carrier = Carrier(ends.stdio(descriptor, ends.null), sink, grow)
    carrier.carry()
    carrier.end()
    assert arrived() == b"first second"


def test_a_file_that_shrinks_just_ends(ends: Ends) -> None:
    path = ends.folder / "source"
    path.write_bytes(bytes(100_000))
    descriptor = ends.keep(os.open(path, os.O_RDONLY))
    sink, arrived = ends.sink("tcp")
    carrier = Carrier(ends.stdio(descriptor, ends.null), sink, lambda how: os.truncate(path, 10), 50_000)
    carrier.carry()
    carrier.end()
    assert arrived() == bytes(50_000)


def test_it_begins_where_the_file_has_been_read_to(ends: Ends) -> None:
    source = ends.source("file", b"header body")
    assert os.read(source.stream.fileno(), 7) == b"header "
    sink, arrived = ends.sink("tcp")
    carrier = ends.carrier(source, sink)
    carrier.carry()
    carrier.end()
    assert arrived() == b"body"


# What is not moved by the kernel


def test_an_output_that_is_appended_to_is_copied_to(ends: Ends) -> None:
    data = os.urandom(500_000)
    path = ends.folder / "log"
    path.write_bytes(b"before ")
    descriptor = ends.keep(os.open(path, os.O_WRONLY | os.O_APPEND))
    ends.carrier(ends.source("tcp", data), ends.stdio(ends.null, descriptor)).carry()
    assert same(path.read_bytes(), b"before " + data)
    if sys.platform == "linux":
        assert ends.reports == ["copy: the output is open for appending"]


@linux
def test_an_output_that_turns_out_not_to_splice_loses_nothing(ends: Ends) -> None:
    import fcntl

    data = os.urandom(3_000_000)
    source = ends.source("tcp", data)
    path = ends.folder / "log"
    descriptor = ends.keep(os.open(path, os.O_WRONLY | os.O_CREAT))
    told: list[str] = []

    def report(how: str) -> None:
        told.append(how)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, os.O_APPEND)

    Carrier(source, ends.stdio(ends.null, descriptor), report, 1000).carry()
    assert same(path.read_bytes(), data)
    assert told == ["zero-copy", "copy: the system cannot do it between these two"]


@linux
@pytest.mark.parametrize("come", ["file", "pipe", "tcp"])
def test_an_output_that_does_not_wait_is_copied_to_when_it_is_full(ends: Ends, come: str) -> None:
    """Whoever shares our standard output may have set it so."""
    data = os.urandom(3_000_000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        local = ends.stdio(ends.null, ours.fileno())
        source = ends.source(come, data)
        theirs.settimeout(PATIENCE)

        def carry() -> None:
            ends.carrier(source, local).carry()
            ours.shutdown(socket.SHUT_WR)

        with Background(carry) as carrying:
            assert stays(lambda: carrying.running)
            assert same(everything(theirs), data)


@linux
def test_a_system_without_splice(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(zero_copy.os, "splice")
    data = os.urandom(3_000_000)
    sink, arrived = ends.sink("tcp")
    carrier = ends.carrier(ends.source("tcp", data), sink)
    carrier.carry()
    carrier.end()
    assert same(arrived(), data)
    assert ends.reports == ["copy: this system has no splice"]


@linux
def test_a_time_limit_is_kept_by_copying(ends: Ends) -> None:
    source, peer = ends.pair("tcp")
    source.timeout = 0.1
    sink, arrived = ends.sink("tcp")
    peer.sendall(b"some")
    carrier = ends.carrier(source, sink)
    with pytest.raises(DeadlineExpired):
        carrier.carry()
    sink.half_close()
    assert arrived() == b"some"
    assert ends.reports == ["copy: a time limit"]


# Taps that come and go


@linux
@pytest.mark.parametrize("which", ["source", "sink"])
@pytest.mark.parametrize(("come", "go"), [("tcp", "tcp"), ("unix", "pipe"), ("pipe", "unix"), ("file", "tcp")])
def test_taps_that_come_and_go_while_bytes_flow(ends: Ends, come: str, go: str, which: str) -> None:
    """Each is attached to a full stream, sees a gapless part of it, and costs nothing afterwards."""
    data = os.urandom(8_000_000)
    source = ends.source(come, data)
    sink, arrived = ends.sink(go)
    tapped = source if which == "source" else sink
    taps: list[Seen] = []
    told: list[str] = []

    class Leaving(Seen):
        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
            super().chunk(connection, direction, data, when)
            if len(self.data) > 100_000:
                tapped.detach(self)
            return None

    def report(how: str) -> None:
        told.append(how)
        if how == "zero-copy" and len(taps) < 3:
            taps.append(Leaving())
            tapped.attach(taps[-1])

    carrier = Carrier(source, sink, report, 1 << 15)
    carrier.carry()
    carrier.end()
    assert same(arrived(), data)
    assert told == ["zero-copy", "copy: tapped"] * 3 + ["zero-copy"]
    places = [data.index(tap.data) for tap in taps]
    assert places == sorted(places)
    assert carrier.moved == source.bytes_received == sink.bytes_sent == len(data)


class Upper(Tap):
    alters = True

    def __init__(self, direction: str) -> None:
        self.direction = direction

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        return data.upper() if direction == self.direction else data


@pytest.mark.parametrize(("which", "direction"), [("source", RECEIVED), ("sink", SENT)])
@pytest.mark.parametrize("come", ["tcp", "unix", "pipe"])
def test_a_tap_that_comes_while_it_waits_sees_the_next_byte(ends: Ends, come: str, which: str, direction: str) -> None:
    sink, far = ends.pair("tcp")
    if come != "pipe":
        source, peer = ends.pair(come)
        send = peer.sendall
    else:
        reads, writes = os.pipe()
        ends.keep(reads)
        source = ends.stdio(reads, ends.null)

        def send(data: bytes) -> None:
            os.write(writes, data)

    tapped = source if which == "source" else sink
    with Background(ends.carrier(source, sink).carry):
        for _ in range(20):
            send(b"one")
            assert far.recv(100) == b"one"
            tap = Upper(direction)
            tapped.attach(tap)
            send(b"two")
            assert far.recv(100) == b"TWO"
            tapped.detach(tap)
        if come != "pipe":
            peer.close()
        else:
            os.close(writes)


# An end that breaks


def test_a_source_that_resets_in_the_middle(ends: Ends) -> None:
    source, peer = ends.pair("tcp")
    sink, far = ends.pair("tcp")
    carrier = ends.carrier(source, sink)
    with Background(lambda: broken_by(carrier)) as carrying:
        peer.sendall(b"some")
        assert far.recv(100) == b"some"
        reset(peer)
        broken = carrying.result()
    assert broken.address == source.peer
    assert source.stream.ended


@pytest.mark.parametrize("come", ["file", "pipe", "tcp"])
def test_a_sink_that_resets_in_the_middle(ends: Ends, come: str) -> None:
    sink, far = ends.pair("tcp")
    if come == "pipe":
        reads, writes = os.pipe()
        ends.keep(reads)
        source = ends.stdio(reads, ends.null)

        def send() -> None:
            with contextlib.suppress(OSError):
                while True:
                    os.write(writes, bytes(65536))

        ends.background(send)
    elif come == "tcp":
        source, peer = ends.pair("tcp")

        def send() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer.sendall(bytes(65536))

        ends.background(send)
    else:
        source = ends.source("file", bytes(64 << 20))
    carrier = ends.carrier(source, sink)
    with Background(lambda: broken_by(carrier)) as carrying:
        assert stays(lambda: carrying.running)
        reset(far)
        broken = carrying.result()
        source.abort()
        if come == "tcp":
            peer.close()
        elif come == "pipe":
            assert os.dup2(ends.null, reads) == reads  # closes the reading end, so that the writer ends
    assert broken.address == sink.peer
    assert carrier.moved == sink.bytes_sent > 0
    if come == "tcp":
        assert broken.unsent == source.bytes_received - sink.bytes_sent
    if come == "pipe":
        os.close(writes)


@pytest.mark.parametrize("come", ["tcp", "unix"])
def test_a_full_disk_is_told_with_what_was_lost(ends: Ends, come: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    full = ends.keep(os.open("/dev/full", os.O_WRONLY))
    source = ends.source(come, bytes(1000))
    with pytest.raises(WirecatError, match="1000 bytes that had arrived were not delivered"):
        ends.carrier(source, ends.stdio(ends.null, full)).carry()


def test_an_abort_wakes_one_that_waits(ends: Ends) -> None:
    for come in ("tcp", "pipe", "exec"):
        if come == "tcp":
            source, _ = ends.pair("tcp")
        elif come == "pipe":
            reads, writes = os.pipe()
            ends.keep(reads)
            ends.keep(writes)
            source = ends.stdio(reads, ends.null)
        else:
            program = start_program("read line")
            ends.stack.callback(program.close)
            source = Connection(program)
        sink, _ = ends.pair("tcp")
        with Background(ends.carrier(source, sink).carry) as carrying:
            assert stays(lambda: carrying.running), come
            source.abort()
            carrying.result()


@pytest.mark.parametrize("come", ["tcp", "unix"])
def test_an_abort_wakes_one_that_waits_for_more(ends: Ends, come: str) -> None:
    source, peer = ends.pair(come)
    sink, far = ends.pair("tcp")
    with Background(ends.carrier(source, sink).carry) as carrying:
        peer.sendall(b"some")
        assert far.recv(100) == b"some"
        assert stays(lambda: carrying.running)
        source.abort()
        carrying.result()


@pytest.mark.parametrize("go", ["tcp", "pipe"])
def test_an_abort_wakes_one_that_waits_for_room(ends: Ends, go: str) -> None:
    source = ends.source("file", bytes(64 << 20))
    if go == "tcp":
        sink, _ = ends.pair("tcp")
    else:
        program = start_program("read line; sleep 60")
        ends.stack.callback(program.close)
        sink = Connection(program)

    def carry() -> None:
        with contextlib.suppress(OSError):
            ends.carrier(source, sink).carry()

    with Background(carry) as carrying:
        assert stays(lambda: carrying.running)
        source.abort()
        sink.abort()
        carrying.result()
