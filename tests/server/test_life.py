"""The life of a connection, whatever its end: who ended it and why is told, and nothing of it is left."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import pytest

from server.clients import PATIENCE, Served, ask, everything, exactly, reset, serving
from wirecat import AsyncConnection, Connection
from wirecat.endpoints.socket_stream import LINGER
from wirecat.events import Closed, Failed, HalfClosed, Opened, Stopping
from wirecat.server.responder import Responder


class Broken(Responder):
    def receive(self, data: bytes) -> bytes | None:
        raise ValueError("a fault of the handler's own")


class BrokenAtTheEnd(Responder):
    def receive(self, data: bytes) -> bytes | None:
        return data

    def ended(self) -> bytes | None:
        raise ValueError("too late")


class NeverMade(Responder):
    def __init__(self) -> None:
        raise ValueError("not to be had")


def gone(served: Served, count: int = 1) -> list[Any]:
    """The Closed events, once all has ended; then nothing may be left in the table."""
    closed = served.wait_gone(count)
    assert served.server.connections == []
    return closed


def test_the_client_ends_it(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        with served.connect() as client:
            assert ask(client, b"Hallo") == b"Hallo"
            assert len(served.server.connections) == 1
            port = client.getsockname()[1]
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b""
        (closed,) = gone(served)
        assert (closed.by, closed.reason) == ("peer", "end")
        assert (closed.received, closed.sent, closed.open_count) == (5, 5, 0)
        assert closed.peer.port == port
        assert 0 < closed.seconds < PATIENCE
        assert served.events.names(1) == ["opened", "half_closed", "closed"]
        opened = served.events.of(Opened)[0]
        assert (opened.peer.port, opened.local.port, opened.open_count) == (port, served.port, 1)
        assert served.server.served == 1


def test_a_client_that_comes_and_goes_without_a_word(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        for _ in range(50):
            served.connect().close()
        for closed in gone(served, 50):
            assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", 0, 0)


@pytest.mark.parametrize("handler", ["echo", "discard", "daytime", "chargen", "reply:{data}"])
@pytest.mark.parametrize("word", [b"", b"x"])
def test_the_client_resets_it(engine: str, handler: str, word: bytes) -> None:
    with serving(handler, engine=engine) as served:
        for number in range(1, 31):
            client = served.connect()
            if word:
                client.sendall(word)
            if number % 2:
                served.wait_open(number)
            reset(client)
        for closed in gone(served, 30):
            if handler != "daytime":  # it may have ended by itself before the reset came
                assert (closed.by, closed.reason) == ("peer", "reset"), closed
        assert not served.failures


def test_the_client_is_idle(engine: str) -> None:
    with serving("echo", engine=engine, idle_timeout=0.15) as served:
        with served.connect() as client, served.connect() as other:
            assert ask(client, b"x") == b"x"
            assert client.recv(10) == b""
            assert other.recv(10) == b""
        closed = gone(served, 2)
        assert {(each.by, each.reason) for each in closed} == {("server", "idle")}
        assert all(0.14 < each.seconds < 1 for each in closed)
        assert not served.events.of(HalfClosed), "our own cut is no end of the peer's"


def test_a_client_that_talks_is_not_idle(engine: str) -> None:
    with serving("echo", engine=engine, idle_timeout=0.4) as served:
        with served.connect() as client:
            tick = threading.Event()
            for _ in range(20):
                assert ask(client, b"x") == b"x"
                tick.wait(0.04)
        assert gone(served)[0].reason == "end"


@pytest.mark.parametrize("handler", [Broken, BrokenAtTheEnd, NeverMade])
def test_the_handler_fails(engine: str, handler: type[Responder]) -> None:
    with serving(handler, engine=engine) as served:
        with served.connect() as client:
            client.sendall(b"x")
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                everything(client)
        (closed,) = gone(served)
        failed = served.events.wait(Failed)
        assert closed.reason == "handler error"
        assert failed.error.startswith("ValueError: ")
        assert "Traceback" in failed.traceback and __file__ in failed.traceback
        assert failed.connection == closed.connection == 1
        assert failed.peer == closed.peer
        names = served.events.names(1)
        assert names[0] == "opened" and names[-1] == "closed"
        assert names.index("failed") < names.index("closed")


def test_it_is_kicked(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        with served.connect() as client, served.connect() as other:
            assert ask(client, b"x") == ask(other, b"x") == b"x"
            first = served.server.connections[0]
            assert served.server.kick(first.id) is True
            kicked = client if client.getsockname()[1] == first.peer.port else other
            stays = other if kicked is client else client
            assert kicked.recv(10) == b""
            closed = served.events.wait(Closed)
            assert (closed.by, closed.reason, closed.connection) == ("server", "kicked", first.id)
            assert served.server.kick(first.id) is False
            assert ask(stays, b"y") == b"y"
        assert served.events.names(first.id) == ["opened", "closed"]


def test_the_server_shuts_down(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        with served.connect() as client:
            assert ask(client, b"x") == b"x"
            assert served.server.stop(0.05) == 0
            assert client.recv(10) == b""
        (closed,) = gone(served)
        assert (closed.by, closed.reason) == ("server", "shutdown")
        assert served.events.of(Stopping)[0].open_count == 1


def function_of(engine: str, plain: Any, coroutine: Any) -> Any:
    return plain if engine == "threads" else coroutine


def test_a_function_may_end_it_first(engine: str) -> None:
    def greet(connection: Connection) -> None:
        connection.send_line("hello")

    async def greet_async(connection: AsyncConnection) -> None:
        await connection.send_line("hello")

    with serving(function_of(engine, greet, greet_async)) as served:
        with served.connect() as client:
            assert everything(client) == b"hello\n"
            (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.sent) == ("server", "end", 6)
        assert served.events.names(1) == ["opened", "closed"]


def test_a_function_sees_the_end(engine: str) -> None:
    def shout(connection: Connection) -> None:
        for line in connection.lines():
            connection.send_line(line.upper())

    async def shout_async(connection: AsyncConnection) -> None:
        async for line in connection.lines():
            await connection.send_line(line.upper())

    with serving(function_of(engine, shout, shout_async)) as served:
        with served.connect() as client:
            client.sendall(b"one\ntwo")
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"ONE\nTWO\n"
        (closed,) = gone(served)
        assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", 7, 8)
        assert served.events.names(1) == ["opened", "half_closed", "closed"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, OSError, GeneratorExit])
def test_what_a_function_raises_ends_its_own_connection_alone(engine: str, error: type[BaseException]) -> None:
    def fail(connection: Connection) -> None:
        if connection.receive() == b"fail":
            raise error("on purpose")
        connection.send(b"well")
        connection.receive()

    async def fail_async(connection: AsyncConnection) -> None:
        if await connection.receive() == b"fail":
            raise error("on purpose")
        await connection.send(b"well")
        await connection.receive()

    with serving(function_of(engine, fail, fail_async)) as served:
        with served.connect() as bystander, served.connect() as client:
            assert ask(bystander, b"x") == b"well"
            assert ask(client, b"fail") == b""
            client.close()  # or the server would wait a second for its end
            closed = served.events.wait(Closed)
            failed = served.events.wait(Failed)
            assert (closed.by, closed.reason) == ("server", "handler error")
            assert failed.error == f"{error.__name__}: on purpose"
            assert "fail" in failed.traceback
            with served.connect() as later:
                assert ask(later, b"x") == b"well"
            bystander.shutdown(socket.SHUT_WR)
            assert bystander.recv(10) == b""
        assert len(served.failures) == 1


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("where", ["__init__", "opened", "receive", "ended"])
def test_what_a_responder_raises_ends_its_own_connection_alone(
    engine: str, error: type[BaseException], where: str
) -> None:
    turn = iter([False, True, False])  # the second of three

    class Fails(Responder):
        def __init__(self) -> None:
            self.fails = next(turn)
            self.step("__init__")

        def step(self, here: str) -> None:
            if self.fails and here == where:
                raise error("on purpose")

        def opened(self) -> bytes | None:
            self.step("opened")
            return None

        def receive(self, data: bytes) -> bytes | None:
            self.step("receive")
            return b"well"

        def ended(self) -> bytes | None:
            self.step("ended")
            return b"bye"

    with serving(Fails, engine=engine) as served:
        with served.connect() as bystander:
            assert ask(bystander, b"x") == b"well"
            with served.connect() as client, contextlib.suppress(ConnectionResetError):
                client.sendall(b"x")
                client.shutdown(socket.SHUT_WR)
                assert everything(client) == (b"well" if where == "ended" else b"")
            closed = served.events.wait(Closed)
            failed = served.events.wait(Failed)
            assert closed.reason == "handler error"
            assert failed.error == f"{error.__name__}: on purpose"
            assert failed.connection == closed.connection == 2
            with served.connect() as later:
                assert ask(later, b"x") == b"well"
            bystander.shutdown(socket.SHUT_WR)
            assert everything(bystander) == b"bye"
        assert len(served.failures) == 1


@pytest.mark.parametrize("answer", ["text", 5, ["list"], 0, ""], ids=repr)
def test_an_answer_that_is_no_bytes_is_the_handlers_fault(engine: str, answer: Any) -> None:
    class Wrong(Responder):
        def receive(self, data: bytes) -> bytes | None:
            return answer if data == b"fail" else data

    with serving(Wrong, engine=engine) as served:
        with served.connect() as bystander, served.connect() as client:
            assert ask(bystander, b"x") == b"x"
            assert ask(client, b"fail") == b""
            client.close()  # or the server would wait a second for its end
            failed = served.events.wait(Failed)
            assert failed.error.startswith("TypeError: ")
            assert type(answer).__name__ in failed.error
            assert served.events.wait(Closed).reason == "handler error"
            assert ask(bystander, b"y") == b"y"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_an_answer_may_be_anything_like_bytes(engine: str, kind: type) -> None:
    class Like(Responder):
        def __init__(self) -> None:
            self.kept = bytearray()

        def receive(self, data: bytes) -> Any:
            self.kept[:] = data  # used again at once: what was given away is not seen to change
            return self.kept if kind is bytearray else kind(self.kept)

    with serving(Like, engine=engine) as served:
        with served.connect() as client:
            client.sendall(b"a" * 300_000)
            assert exactly(client, 300_000) == b"a" * 300_000
            assert ask(client, b"b") == b"b"


def test_an_error_that_cannot_even_be_shown_is_reported(engine: str) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    class Fails(Responder):
        def receive(self, data: bytes) -> bytes | None:
            raise Unspeakable

    with serving(Fails, engine=engine) as served:
        with served.connect() as client:
            assert ask(client, b"x") == b""
        assert gone(served)[0].reason == "handler error"
        assert "Unspeakable" in served.failures[0].error


def test_an_error_of_several_lines_is_told_in_one(engine: str) -> None:
    class Fails(Responder):
        def receive(self, data: bytes) -> bytes | None:
            raise ValueError("first\nsecond") if data == b"x" else ValueError

    with serving(Fails, engine=engine) as served:
        for word in (b"x", b"y"):
            with served.connect() as client:
                assert ask(client, word) == b""
        gone(served, 2)
        assert [each.error for each in served.failures] == ["ValueError: first second", "ValueError"]


def test_a_connection_that_the_peer_broke_off_is_no_fault_of_the_handler(engine: str) -> None:
    def wait(connection: Connection) -> None:
        connection.receive()

    async def wait_async(connection: AsyncConnection) -> None:
        await connection.receive()

    with serving(function_of(engine, wait, wait_async)) as served:
        for number in range(1, 11):
            client = served.connect()
            served.wait_open(number)
            reset(client)
        for closed in gone(served, 10):
            assert (closed.by, closed.reason) == ("peer", "reset")
        assert not served.failures


def test_a_function_that_is_cut_is_not_reported(engine: str) -> None:
    def wait(connection: Connection) -> None:
        connection.send(b"ready")
        connection.receive_exactly(5)

    async def wait_async(connection: AsyncConnection) -> None:
        await connection.send(b"ready")
        await connection.receive_exactly(5)

    with serving(function_of(engine, wait, wait_async)) as served:
        with served.connect() as client:
            assert exactly(client, 5) == b"ready"
            assert served.server.kick(1)
            assert client.recv(10) == b""
        (closed,) = gone(served)
        assert (closed.by, closed.reason) == ("server", "kicked")
        assert not served.failures
        assert served.events.names(1) == ["opened", "closed"]


def test_a_peer_that_ended_too_early_for_the_handler_has_ended_first(engine: str) -> None:
    def want(connection: Connection) -> None:
        connection.receive_exactly(5)

    async def want_async(connection: AsyncConnection) -> None:
        await connection.receive_exactly(5)

    with serving(function_of(engine, want, want_async)) as served:
        with served.connect() as client:
            client.sendall(b"ab")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b""
        (closed,) = gone(served)
        assert (closed.by, closed.reason) == ("peer", "handler error")
        assert "IncompleteReceive" in served.failures[0].error


def test_a_connection_kicked_in_the_middle_of_a_send(engine: str) -> None:
    with serving("chargen", engine=engine) as served:
        with served.connect() as client:
            assert client.recv(1000)
            served.server.kick(1)
            (closed,) = served.wait_gone()
            assert (closed.by, closed.reason) == ("server", "kicked")
            assert closed.sent > 1000


def test_the_port_can_be_bound_again_at_once(engine: str) -> None:
    """Also with connected clients, and with connections in TIME_WAIT on the server's side."""
    with serving("daytime", engine=engine) as served:
        port = served.port
        for _ in range(20):
            with served.connect() as client:
                assert everything(client).endswith(b"\r\n")
        served.wait_gone(20)
    with serving("echo", f"127.0.0.1:{port}", engine=engine) as served:
        clients = [served.connect() for _ in range(20)]
        for client in clients:
            assert ask(client, b"x") == b"x"
        served.server.stop(0)
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
            again.listen()
        for client in clients:
            client.close()


def test_the_port_is_free_while_clients_drain(engine: str) -> None:
    with serving("echo", engine=engine) as served, served.connect() as client:
        assert ask(client, b"x") == b"x"
        stopping = threading.Thread(target=served.server.stop, args=(PATIENCE,))
        stopping.start()
        try:
            served.events.wait(Stopping)
            with serving("echo", f"127.0.0.1:{served.port}", engine=engine) as other:
                with other.connect() as newcomer:
                    assert ask(newcomer, b"new") == b"new"
            assert ask(client, b"still") == b"still"
        finally:
            client.close()
            stopping.join(PATIENCE)
        assert served.events.of(Closed)[0].reason == "end"


def test_a_drain_lets_a_transfer_end(engine: str) -> None:
    size = 5_000_000
    with serving("echo", engine=engine) as served, served.connect() as client:
        client.sendall(b"x" * 100)
        served.wait_open()
        stopping = threading.Thread(target=served.server.stop, args=(PATIENCE,))
        stopping.start()
        try:
            served.events.wait(Stopping)
            sending = threading.Thread(target=client.sendall, args=(b"x" * (size - 100),))
            sending.start()
            assert len(exactly(client, size)) == size
            sending.join()
        finally:
            client.close()
            stopping.join(PATIENCE)
        closed = served.events.of(Closed)[0]
        assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", size, size)


def test_a_client_that_half_closes_gets_its_whole_answer(engine: str) -> None:
    data = bytes(range(256)) * 20_000
    with serving("echo", engine=engine) as served, served.connect() as client:

        def send() -> None:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send)
        sending.start()
        assert everything(client) == data
        sending.join()
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.received) == ("peer", "end", len(data))


def test_a_client_that_reads_late_gets_its_whole_answer(engine: str) -> None:
    """The server has ended its work long before the client takes the answer's last byte."""
    data = b"0123456789" * 300_000

    class Once(Responder):
        def receive(self, piece: bytes) -> bytes | None:
            self.finished = True
            return data

    with serving(Once, engine=engine) as served:
        with socket.socket() as client:
            client.settimeout(PATIENCE)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # set here it does not grow
            client.connect(("127.0.0.1", served.port))
            client.sendall(b"please")
            served.wait_open()
            threading.Event().wait(LINGER + 0.1)  # longer than a close lingers: the answer lies with the kernel
            assert everything(client) == data
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.sent) == ("server", "end", len(data))


def test_bytes_that_were_never_read_cost_the_client_no_answer(engine: str) -> None:
    """Naive servers close with bytes unread, and the reset that follows takes the answer back."""
    with serving("daytime", engine=engine) as served:
        for _ in range(20):
            with served.connect() as client:
                client.sendall(b"x" * 100_000)
                client.shutdown(socket.SHUT_WR)
                assert everything(client).endswith(b"\r\n")
        for closed in served.wait_gone(20):
            assert (closed.by, closed.reason) == ("server", "end")


def test_a_client_that_goes_on_sending_is_left_after_a_while(engine: str) -> None:
    with serving("daytime", engine=engine) as served, served.connect() as client:
        assert client.recv(100).endswith(b"\r\n")
        with contextlib.suppress(OSError):
            while True:
                client.sendall(b"x" * 1000)
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "end")
        assert closed.seconds < 5


def test_handlers_may_keep_nothing_alive(engine: str) -> None:
    """A connection's objects are freed with it, without waiting for the garbage collector."""
    import gc
    import weakref

    kept: list[weakref.ref[Any]] = []

    class Kept(Responder):
        def __init__(self) -> None:
            kept.append(weakref.ref(self))

        def receive(self, data: bytes) -> bytes | None:
            return data

    def hold(connection: Connection) -> None:
        kept.append(weakref.ref(connection.stream.socket))
        connection.receive()

    async def hold_async(connection: AsyncConnection) -> None:
        # Not its socket: asyncio's transports refer to themselves, and only the collector frees them.
        kept.append(weakref.ref(connection._gone))
        await connection.receive()

    for handler in (Kept, function_of(engine, hold, hold_async)):
        kept.clear()
        gc.disable()
        try:
            with serving(handler) if handler is not Kept else serving(handler, engine=engine) as served:
                for _ in range(10):
                    with served.connect() as client:
                        client.sendall(b"x")
                        client.shutdown(socket.SHUT_WR)
                        everything(client)
                served.wait_gone(10)
        finally:
            gc.enable()
        assert len(kept) == 10
        alive = [each() for each in kept if each() is not None]
        assert not alive, f"{handler}: {alive} kept by {gc.get_referrers(alive[0])}"


def test_an_event_loops_handler_may_use_other_tasks() -> None:
    async def both(connection: AsyncConnection) -> None:
        async def tick() -> None:
            for number in range(3):
                await connection.send(b"%d" % number)
                await asyncio.sleep(0)

        await asyncio.gather(tick(), tick())

    with serving(both) as served, served.connect() as client:
        assert sorted(everything(client)) == sorted(b"001122")
