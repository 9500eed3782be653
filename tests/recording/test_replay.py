"""A recording played again: against the same server, against one that differs in a byte, and for a client under test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

import wirecat
from peers import PATIENCE
from plain_peers import refusing
from wirecat.errors import UsageError
from wirecat.recording.model import SERVER
from wirecat.recording.recorder import Recorder
from wirecat.recording.replay import ReplayResult, replay
from wirecat.recording.tap import RecordingTap

LARGE = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three connections to an echo server, the last two at once."""
    path = tmp_path_factory.mktemp("replay") / "talk.pcapng"
    with Recorder(path) as recorder, wirecat.serve("echo", "127.0.0.1:0") as server:
        server.attach(RecordingTap(recorder, kind="server", served=True))
        with wirecat.connect(server.address) as one:
            one.send_line("first")
            one.receive_line()
        with wirecat.connect(server.address) as two, wirecat.connect(server.address) as three:
            for connection in (two, three, two):
                connection.send(LARGE)
                assert connection.receive_exactly(len(LARGE)) == LARGE
        server.stop()
    return path


def against(handler: str | Callable[..., object], path: Path, **options: object) -> ReplayResult:
    with wirecat.serve(handler, "127.0.0.1:0") as server:
        return replay(path, server.address, **options)  # type: ignore[arg-type]


def test_the_same_server(talk: Path) -> None:
    result = against("echo", talk)
    assert result.ok
    assert [each.sent for each in result.connections] == [6, 2 * len(LARGE), len(LARGE)]
    assert [each.received for each in result.connections] == [each.sent for each in result.connections]


def test_one_that_differs_in_a_byte(talk: Path) -> None:
    def nearly(connection: wirecat.Connection) -> None:
        count = 0
        while (data := connection.receive()) is not None:
            changed = bytearray(data)
            if count <= 1_500_000 < count + len(data):
                changed[1_500_000 - count] ^= 1
            count += len(data)
            connection.send(changed)

    result = against(nearly, talk)
    assert not result.ok
    first, second, third = (each.difference for each in result.connections)
    assert first is third is None
    assert second is not None
    assert second.offset == 1_500_000
    assert second.recorded[0] ^ second.got[0] == 1
    assert against(nearly, talk, compare="length").ok


def test_one_that_says_too_little_or_too_much(talk: Path) -> None:
    def short(connection: wirecat.Connection) -> None:
        connection.receive()

    def long(connection: wirecat.Connection) -> None:
        while (data := connection.receive()) is not None:
            connection.send(data)
        connection.send(b"one more thing")

    for handler, offset in ((short, 0), (long, 6)):
        for compare in ("exact", "length"):
            difference = against(handler, talk, compare=compare).connections[0].difference
            assert difference is not None
            assert difference.offset == offset
        assert against(handler, talk, compare="none").connections[0].difference is None


def test_one_that_is_not_there(talk: Path) -> None:
    with refusing() as port:
        result = replay(talk, port)
    assert not result.ok
    assert all("refused" in each.failure for each in result.connections)


def test_one_that_is_silent(talk: Path) -> None:
    result = against("discard", talk, patience=0.05)
    assert [each.difference.offset for each in result.connections if each.difference] == [0, 0, 0]


def test_at_the_recorded_times(tmp_path: Path) -> None:
    """Never earlier than they were; how much later is the machine's affair."""
    path = tmp_path / "slow"
    with Recorder(path) as recorder, wirecat.serve("echo", "127.0.0.1:0") as server:
        with wirecat.connect(server.address) as connection:
            connection.attach(RecordingTap(recorder, kind="client"))
            for pause in (0.0, 0.3):
                assert not threading.Event().wait(pause)
                connection.send_line("x")
                connection.receive_line()
    for speed, least in ((1.0, 0.3), (3.0, 0.1)):
        began = monotonic()
        assert against("echo", path, speed=speed).ok
        assert monotonic() - began >= least


def test_as_the_server(talk: Path) -> None:
    listening: list[wirecat.Address] = []
    there = threading.Event()
    results: list[ReplayResult] = []

    def told(addresses: tuple[wirecat.Address, ...]) -> None:
        listening.extend(addresses)
        there.set()

    def play() -> None:
        results.append(replay(talk, "127.0.0.1:0", side=SERVER, on_listening=told, timeout=PATIENCE))

    stage = threading.Thread(target=play)
    stage.start()
    assert there.wait(PATIENCE)
    with wirecat.connect(listening[0]) as one:
        one.send_line("first")
        assert one.receive_line() == "first"
    with wirecat.connect(listening[0]) as two, wirecat.connect(listening[0]) as three:
        for connection in (two, three, two):
            connection.send(LARGE)
            assert connection.receive_exactly(len(LARGE)) == LARGE
    stage.join(PATIENCE)
    assert results[0].ok


def test_what_cannot_be_asked_for(talk: Path, tmp_path: Path) -> None:
    for options in ({"compare": "nearly"}, {"side": "both"}, {"speed": 0.0}, {"speed": float("nan")}):
        with pytest.raises(UsageError):
            replay(talk, 1, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        replay(tmp_path / "missing", 1)
