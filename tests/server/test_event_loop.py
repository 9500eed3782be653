"""The event-loop engine: what happens when the loop cannot start, and around the taking over of a client."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from typing import Any

import pytest

from server.clients import PATIENCE, ask, everything, exactly, reset, serving
from wirecat import AsyncConnection
from wirecat.events import Closed, Failed
from wirecat.server import event_loop as module
from wirecat.system import readiness


def test_all_share_one_thread(loop: str) -> None:
    before = threading.active_count()
    with serving("echo", engine="async") as served:
        clients = [served.connect() for _ in range(20)]
        for client in clients:
            assert ask(client, b"x") == b"x"
        assert threading.active_count() == before + 2, "the loop, and that of the events"
        assert {info.thread for info in served.server.connections} == {"wirecat-loop"}
        for client in clients:
            client.close()


def test_the_loop_is_the_one_asked_for(loop: str) -> None:
    found: list[str] = []

    async def look(connection: AsyncConnection) -> None:
        found.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    with serving(look) as served:
        served.connect().close()
        served.wait_gone()
    assert found == [loop]


def test_a_loop_that_cannot_be_made_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(module, "loop_factory", lambda: none)
    with pytest.raises(OSError, match="Too many open files"), serving("echo", engine="async"):
        pass


@pytest.mark.parametrize("whose", ["ours", "the loop's"])
def test_a_client_that_the_loop_cannot_take_over(monkeypatch: pytest.MonkeyPatch, whose: str) -> None:
    turn = 0

    def fail_once() -> None:
        nonlocal turn
        turn += 1
        if turn == 1:
            raise OSError(errno.ENOTCONN, "gone")

    class Loop(asyncio.SelectorEventLoop):
        async def connect_accepted_socket(self, *arguments: Any, **more: Any) -> Any:
            fail_once()
            return await super().connect_accepted_socket(*arguments, **more)

    class FullReadiness(readiness.Readiness):
        def add(self, *arguments: Any) -> None:
            fail_once()
            super().add(*arguments)

    if whose == "the loop's":
        monkeypatch.setattr(readiness, "AVAILABLE", False)
    elif not readiness.AVAILABLE:
        pytest.skip("the system has no epoll(7)")
    monkeypatch.setattr(readiness, "Readiness", FullReadiness)

    async def echo(connection: AsyncConnection) -> None:
        while data := await connection.receive():
            await connection.send(data)

    monkeypatch.setattr(module, "loop_factory", lambda: Loop)
    for handler in ("echo", echo):
        turn = 0
        with serving(handler, engine="async") as served:
            with served.connect() as gone:
                assert everything(gone) == b""
            (closed,) = served.wait_gone()
            assert (closed.by, closed.reason) == ("peer", "reset")
            with served.connect() as client:
                assert ask(client, b"x") == b"x"
            assert not served.failures


@pytest.mark.parametrize("colour", ["responder", "coroutine"])
def test_a_client_that_is_cut_while_it_is_taken_over(loop: str, colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.EventLoopEngine._take

    def take(self: Any, *arguments: Any, **options: Any) -> None:
        real(self, *arguments, **options)
        self._cut(self._registry.connections()[-1], "kicked")

    async def wait(connection: AsyncConnection) -> None:
        await connection.receive()

    monkeypatch.setattr(module.EventLoopEngine, "_take", take)
    with serving("echo" if colour == "responder" else wait, engine="async") as served:
        with served.connect() as client, pytest.raises(ConnectionResetError):
            client.recv(1)
            raise ConnectionResetError  # an orderly end will do as well
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "kicked")
        assert not served.failures


def test_two_that_the_handler_starts_by_itself(loop: str) -> None:
    """Tasks of the handler's own end with the loop, even if it forgets them."""
    started = threading.Event()

    async def forgetful(connection: AsyncConnection) -> None:
        async def for_ever() -> None:
            started.set()
            await asyncio.Event().wait()

        kept.append(asyncio.ensure_future(for_ever()))
        await asyncio.sleep(0)

    kept: list[Any] = []
    with serving(forgetful) as served:
        served.connect().close()
        assert started.wait(PATIENCE)
        served.wait_gone()
    assert kept[0].cancelled()


def test_an_answer_is_not_lost_to_bytes_that_come_late(loop: str) -> None:
    """The handler has gone, and the client still sends: no reset may take the answer back."""

    async def bye(connection: AsyncConnection) -> None:
        await connection.send(b"bye")

    with serving(bye) as served:
        for _ in range(20):
            with served.connect() as client:
                assert client.recv(1) == b"b"
                client.sendall(b"x" * 100_000)
                client.shutdown(socket.SHUT_WR)
                assert everything(client) == b"ye"
        assert {(each.by, each.reason) for each in served.wait_gone(20)} == {("server", "end")}


def test_much_goes_out_whole_though_the_handler_has_ended(loop: str) -> None:
    size = 5_000_000

    async def much(connection: AsyncConnection) -> None:
        await connection.send(b"x" * size)

    with serving(much) as served, served.connect() as client:
        assert len(everything(client)) == size
        client.close()
        assert served.wait_gone()[0].sent == size


def test_a_reset_in_the_middle_of_a_send(loop: str) -> None:
    async def much(connection: AsyncConnection) -> None:
        while True:
            await connection.send(b"x" * 1_000_000)

    with serving(much) as served:
        client = served.connect()
        assert exactly(client, 1000)
        reset(client)
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("peer", "reset")
        assert not served.failures


def test_a_loop_that_dies_is_told(loop: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It never should, as all that handlers raise is caught; if it does all the same, that must not be a riddle."""

    def break_down(self: Any, accepted: socket.socket, *more: Any, **options: Any) -> None:
        accepted.close()
        raise SystemExit("on purpose")

    monkeypatch.setattr(module.EventLoopEngine, "_take", break_down)
    with serving("echo", engine="async") as served:
        with served.connect() as client:
            assert everything(client) == b""
        failed = served.events.wait(Failed)
        assert "SystemExit: on purpose" in failed.error
        assert not served.events.of(Closed)
        assert served.server.stop() == 0
    caplog.clear()
