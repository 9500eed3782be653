"""The tap that records, on real connections of either engine: on, off, and every way in which one ends."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from pathlib import Path

import pytest

import wirecat
from peers import PATIENCE
from wirecat.recording.model import Chunk, Mark
from wirecat.recording.reader import Recording, read
from wirecat.recording.recorder import Recorder
from wirecat.recording.tap import RecordingTap

RESET = struct.pack("ii", 1, 0)


def said(recording: Recording) -> list[tuple[str, bytes]]:
    return [(each.sender, each.data) for each in recording.entries() if isinstance(each, Chunk)]


def marks(recording: Recording) -> list[tuple[str, str]]:
    return [(each.name, each.sender) for each in recording.entries() if isinstance(each, Mark)]


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_a_server(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "server"
    with Recorder(path) as recorder, wirecat.serve("echo", "127.0.0.1:0", engine=engine) as server:
        server.attach(RecordingTap(recorder, kind="server", handler="echo", served=True))
        for number in range(3):
            with wirecat.connect(server.address) as connection:
                connection.send(b"hello %d" % number)
                assert connection.receive() == b"hello %d" % number
                connection.half_close()
                assert connection.receive() is None
                local = connection.local
        with socket.create_connection(("127.0.0.1", server.address.port)) as client:
            client.sendall(b"x")
            assert client.recv(9) == b"x"
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        server.stop()
    recording = read(path)
    assert recording.complete
    assert recording.problems == []
    endings = [(each.id, each.closed_by, each.reason, each.handler) for each in recording.connections]
    assert endings == [(number, "client", "end", "echo") for number in (1, 2, 3)] + [(4, "client", "reset", "echo")]
    assert [each.data for each in recording.chunks(2)] == [b"hello 1", b"hello 1"]
    assert recording.connections[2].client.address == local
    assert ("reset", "client") in marks(recording)


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_the_server_ends_first(tmp_path: Path, engine: str) -> None:
    with Recorder(tmp_path / "x") as recorder, wirecat.serve("daytime", "127.0.0.1:0", engine=engine) as server:
        server.attach(RecordingTap(recorder, kind="server", served=True))
        with wirecat.connect(server.address) as connection:
            while connection.receive() is not None:
                pass
        server.stop()
    (connection,) = read(tmp_path / "x").connections
    assert connection.closed_by == "server"
    assert connection.server.chunks == 1
    assert connection.server.ended_ns is not None
    assert connection.client.ended_ns is not None


def test_a_client(tmp_path: Path) -> None:
    with Recorder(tmp_path / "x") as recorder, wirecat.serve("echo", "[::1]:0") as server:
        with wirecat.connect(server.address) as connection:
            connection.attach(RecordingTap(recorder, kind="client"))
            connection.send_line("hello")
            connection.receive_line()
        connection.close()
    recording = read(tmp_path / "x")
    assert said(recording) == [("client", b"hello\n"), ("server", b"hello\n")]
    (found,) = recording.connections
    assert (found.closed_by, found.client.address.host, found.kind) == ("client", "::1", "client")


def test_a_client_whose_server_breaks_off(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, Recorder(tmp_path / "x") as recorder:
        with wirecat.connect(listener.getsockname()[1]) as connection:
            accepted, _ = listener.accept()
            connection.attach(RecordingTap(recorder, kind="client"))
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            accepted.close()
            with pytest.raises(wirecat.ConnectionBroken):
                connection.receive()
    (found,) = read(tmp_path / "x").connections
    assert (found.closed_by, found.reason) == ("server", "reset")


def test_on_an_event_loop(tmp_path: Path) -> None:
    async def talk(address: wirecat.Address, recorder: Recorder) -> None:
        async with await wirecat.connect_async(address) as connection:
            connection.attach(RecordingTap(recorder, kind="client"))
            await connection.send_line("hello")
            await connection.receive_line()

    with Recorder(tmp_path / "x") as recorder, wirecat.serve("echo", "127.0.0.1:0") as server:
        asyncio.run(talk(server.address, recorder))
    recording = read(tmp_path / "x")
    assert said(recording) == [("client", b"hello\n"), ("server", b"hello\n")]
    assert recording.connections[0].closed_by == "client"


def test_on_and_off_while_bytes_flow(tmp_path: Path) -> None:
    with Recorder(tmp_path / "x") as recorder, wirecat.serve("echo", "127.0.0.1:0") as server:
        with wirecat.connect(server.address) as connection:
            tap = RecordingTap(recorder, kind="client")
            for text in ("one", "two", "three", "four"):
                if text in ("two", "four"):
                    connection.attach(tap)
                connection.send_line(text)
                connection.receive_line()
                if text == "two":
                    connection.detach(tap)
    recording = read(tmp_path / "x")
    first, second = recording.connections
    assert first.joined
    assert second.joined
    assert [each.data for each in recording.chunks(1)] == [b"two\n"] * 2
    assert [each.data for each in recording.chunks(2)] == [b"four\n"] * 2
    assert (first.closed_ns, second.closed_by) == (None, "client")


def test_datagrams(tmp_path: Path) -> None:
    with Recorder(tmp_path / "x") as recorder, wirecat.serve("echo", "udp://127.0.0.1:0") as server:
        server.attach(RecordingTap(recorder, kind="server", served=True))
        with wirecat.connect(server.address) as connection:
            connection.timeout = PATIENCE
            connection.send(b"one")
            assert connection.receive() == b"one"
        server.stop()
    recording = read(tmp_path / "x")
    assert said(recording) == [("client", b"one"), ("server", b"one")]
    assert recording.connections[0].protocol == "udp"


def test_many_at_once(tmp_path: Path) -> None:
    with Recorder(tmp_path / "x") as recorder, wirecat.serve("echo", "127.0.0.1:0") as server:
        server.attach(RecordingTap(recorder, kind="server", served=True))

        def talk(number: int) -> None:
            with wirecat.connect(server.address) as connection:
                for round in range(20):
                    connection.send_line(f"{number} {round}")
                    assert connection.receive_line() == f"{number} {round}"

        threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        server.stop()
    recording = read(tmp_path / "x")
    assert len(recording.connections) == 8
    for connection in recording.connections:
        assert (connection.client.chunks, connection.server.data) == (20, connection.client.data)


@pytest.mark.parametrize("idle", [True, False])
def test_datagrams_end_in_silence_or_by_us(tmp_path: Path, idle: bool) -> None:
    """The same on both sides: whoever waited no longer ended it, because nothing on the wire does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, Recorder(tmp_path / "x") as recorder:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(PATIENCE)
        with wirecat.connect(f"udp://127.0.0.1:{peer.getsockname()[1]}?idle={0.01 if idle else 60}") as connection:
            connection.attach(RecordingTap(recorder, kind="client"))
            connection.send(b"x")
            peer.recvfrom(9)
            if idle:
                assert connection.receive() is None
            else:
                connection.abort()
                assert connection.receive() is None
        with wirecat.listen("udp://127.0.0.1:0?idle=0.01") as listener:
            peer.sendto(b"y", ("127.0.0.1", listener.address.port))
            with listener.accept() as connection:
                connection.attach(RecordingTap(recorder, kind="server"))
                assert connection.receive() == b"y"
                if idle:
                    assert connection.receive() is None
    assert [(each.closed_by, each.reason) for each in read(tmp_path / "x").connections] == [
        ("client", "idle" if idle else "end"), ("server", "idle" if idle else "end"),
    ]  # fmt: skip
