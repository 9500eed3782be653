"""The server as its user has it: addresses, its life from start to stop, and handlers that will not end."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from server.clients import PATIENCE, ask, connect, eventually, everything, exactly, serving
from wirecat import AsyncConnection, Connection, Responder, UsageError, serve
from wirecat.address import Address
from wirecat.errors import AddressError, HandlerError, ListenError
from wirecat.events import Closed, Event, Failed, HalfClosed, Listening, Opened, Stopped, Stopping
from wirecat.server import server as module
from wirecat.taps.tap import RECEIVED, SENT, Tap


def test_addresses() -> None:
    with serving("echo", "127.0.0.1:0") as served:
        server = served.server
        assert server.addresses == (server.address,)
        assert server.address == Address("tcp", "127.0.0.1", served.port)
        listening = served.events.wait(Listening)
        assert listening.addresses == server.addresses
        assert listening.limit == server.limit > 0
        assert listening.limit_reason


def test_a_bare_port_is_this_pc_by_both_families() -> None:
    with serving("echo", 0) as served:
        assert {each.host for each in served.server.addresses} == {"127.0.0.1", "::1"}
        assert len({each.port for each in served.server.addresses}) == 1
        for host in ("127.0.0.1", "::1"):
            with served.connect(host=host) as client:
                assert ask(client, b"x") == b"x"


@pytest.mark.parametrize(("address", "here"), [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "::1")])
def test_a_client_of_this_machine_is_given_an_address_it_can_use(address: str, here: str) -> None:
    with serving("echo", address) as served:
        assert served.server.address.host == here
        with served.connect(host=here) as client:
            assert ask(client, b"x") == b"x"


def test_a_path(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "echo.socket"
    with serving("echo", f"unix://{path}", engine=engine) as served:
        assert str(served.server.address) == f"unix://{path}"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            assert ask(client, b"x") == b"x"
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.peer.scheme) == ("peer", "end", "unix")
    assert not path.exists()


@pytest.mark.parametrize("options", [{"allow": ["10.0.0.0/8"]}, {"deny": ["10.0.0.1"]}])
def test_a_path_has_no_addresses_to_let_in(tmp_path: Path, options: dict[str, Any]) -> None:
    """To take the option and let everybody in would be the worst of answers."""
    with pytest.raises(UsageError, match="are for TCP"):
        serve("echo", f"unix://{tmp_path}/echo.socket", **options)


def test_chunk_is_for_responders() -> None:
    with pytest.raises(UsageError, match="chunk is for responders"):
        serve(lambda connection: None, "127.0.0.1:0", chunk=5)


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("ech", 0), {}, HandlerError),
        (("echo", "x"), {}, AddressError),
        (("echo", "203.0.113.1:0"), {}, ListenError),
        (("echo", 0), {"max_connections": -1}, UsageError),
        (("echo", 0), {"idle_timeout": 0}, UsageError),
        (("echo", 0), {"engine": "turbo"}, UsageError),
        (("echo", 0), {"allow": ["nobody:"]}, UsageError),
    ],
)
def test_wrong_use_opens_nothing(arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception]) -> None:
    before = threading.active_count()
    with pytest.raises(error):
        serve(*arguments, **options)
    assert threading.active_count() == before


def test_a_port_that_is_taken_leaves_nothing_behind() -> None:
    with serving("echo") as served:
        before = threading.active_count()
        with pytest.raises(ListenError, match="taken"):
            serve("echo", f"127.0.0.1:{served.port}")
        assert threading.active_count() == before


def test_without_the_with() -> None:
    server = serve("echo", "127.0.0.1:0")
    try:
        assert "echo on 127.0.0.1:" in repr(server) and "0 open" in repr(server)
        assert not server.wait(0)
        with connect(server.address.port or 0) as client:
            assert ask(client, b"x") == b"x"
            assert "1 open" in repr(server)
    finally:
        assert server.stop() == 0
    assert server.stop() == server.stuck == 0
    assert server.wait(0)
    assert "stopped" in repr(server)
    assert server.connections == []
    with pytest.raises(ConnectionRefusedError):
        connect(server.address.port or 0)


def test_stopping_is_told_in_order(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        with served.connect() as client:
            assert ask(client, b"x") == b"x"
            served.server.stop(0)
        kinds = [type(each) for each in served.events.events]
        assert kinds == [Listening, Opened, Stopping, Closed, Stopped]
        stopping, stopped = served.events.of(Stopping)[0], served.events.of(Stopped)[0]
        assert (stopping.open_count, stopping.seconds) == (1, 0)
        assert (stopped.served, stopped.stuck) == (1, 0)
    assert len(served.events.of(Stopped)) == 1, "the end of the block stops it a second time, which is nothing"


def test_a_stop_without_clients_takes_no_time(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        started = time.monotonic()
        assert served.server.stop(PATIENCE) == 0
        assert time.monotonic() - started < 1


def test_a_drain_ends_with_the_last_client(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        client = served.connect()
        assert ask(client, b"x") == b"x"
        started = time.monotonic()
        stopping = threading.Thread(target=served.server.stop, args=(PATIENCE,))
        stopping.start()
        served.events.wait(Stopping)
        client.close()
        stopping.join(PATIENCE)
        assert time.monotonic() - started < PATIENCE / 2
        assert served.events.of(Closed)[0].reason == "end"


def test_a_drain_can_be_cut(engine: str) -> None:
    with serving("echo", engine=engine) as served, served.connect() as client:
        assert ask(client, b"x") == b"x"
        started = time.monotonic()
        stopping = threading.Thread(target=served.server.stop, args=(PATIENCE * 2,))
        stopping.start()
        served.events.wait(Stopping)
        served.server.cut()
        stopping.join(PATIENCE)
        assert time.monotonic() - started < PATIENCE
        assert client.recv(1) == b""
        assert served.events.of(Closed)[0].reason == "shutdown"


def test_two_may_stop_it_at_once(engine: str) -> None:
    with serving("echo", engine=engine) as served, served.connect() as client:
        assert ask(client, b"x") == b"x"
        stopping = [threading.Thread(target=served.server.stop, args=(0.1,)) for _ in range(4)]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join(PATIENCE)
        assert len(served.events.of(Stopped)) == 1


def test_a_stop_while_clients_come(engine: str) -> None:
    """Those that were being let in are cut with the others: none is forgotten, none is waited for in vain."""
    for _ in range(5):
        with serving("echo", engine=engine) as served:
            enough = threading.Event()
            clients: list[socket.socket] = []

            def crowd(port: int = served.port, enough: threading.Event = enough, clients: list[Any] = clients) -> None:
                while not enough.is_set():
                    try:
                        clients.append(connect(port))
                    except OSError:
                        return

            crowding = threading.Thread(target=crowd)
            crowding.start()
            served.wait_open(20)
            started = time.monotonic()
            assert served.server.stop(0) == 0
            assert time.monotonic() - started < 2, "a handler is only named after that"
            enough.set()
            crowding.join(PATIENCE)
            for client in clients:
                client.close()
            assert len(served.events.of(Closed)) == len(served.events.of(Opened)) == served.server.served
            assert not served.failures


def test_the_end_of_the_one_client_is_told() -> None:
    told: list[str] = []
    with serving("echo", once=True) as served:
        forget = served.server.on_finished(lambda: told.append("first"))
        served.server.on_finished(lambda: told.append("second"))
        forget()
        assert not served.server.wait(0.01)
        served.connect().close()
        assert served.server.wait(PATIENCE)
        eventually(lambda: told, "the call")
        assert told == ["second"]
        served.server.on_finished(lambda: told.append("late"))
        assert told == ["second", "late"]
    assert told == ["second", "late"]


def test_the_first_event_comes_too_and_those_who_come_later_hear_the_rest() -> None:
    early: list[Event] = []
    late: list[Event] = []
    with serve("echo", "127.0.0.1:0", on_event=early.append) as server:
        eventually(lambda: early, "the first event")
        leave = server.subscribe(late.append)
        connect(server.address.port or 0).close()
        eventually(lambda: any(isinstance(each, Closed) for each in late), "Closed")
        leave()
    assert isinstance(early[0], Listening) and isinstance(early[-1], Stopped)
    assert [type(each) for each in late] == [Opened, HalfClosed, Closed]


def test_a_listener_that_fails_does_not_harm(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def broken(event: Event) -> None:
        raise ValueError("on purpose")

    with serve("echo", "127.0.0.1:0", on_event=broken, engine=engine) as server:
        with connect(server.address.port or 0) as client:
            assert ask(client, b"x") == b"x"
    assert [each.exc_type for each in told] == [ValueError]


def test_a_listener_that_hangs_delays_no_client_and_the_stop_not_for_long(engine: str) -> None:
    hold = threading.Event()
    server = serve("echo", "127.0.0.1:0", on_event=lambda event: bool(hold.wait(60)), engine=engine)
    try:
        started = time.monotonic()
        for _ in range(100):
            with connect(server.address.port or 0) as client:
                assert ask(client, b"x") == b"x"
        assert time.monotonic() - started < 5
        started = time.monotonic()
        assert server.stop(0) == 0
        assert time.monotonic() - started < 6
    finally:
        hold.set()


def test_a_listener_may_stop_the_server(engine: str) -> None:
    holder: list[Any] = []

    def stop_at_the_first_end(event: Event) -> None:
        if isinstance(event, Closed):
            holder[0].stop(0)

    with serving("echo", engine=engine) as served:
        holder.append(served.server)
        served.server.subscribe(stop_at_the_first_end)
        served.connect().close()
        assert served.server.wait(PATIENCE)


class Watch(Tap):
    """Notes what goes by."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str, bytes]] = []

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.seen.append((connection, direction, data))
        return None


def test_taps_see_all_connections(engine: str) -> None:
    tap = Watch()
    with serving("reply:got {data}", engine=engine) as served:
        with served.connect() as here:
            assert ask(here, b"before") == b"got before"
            served.server.attach(tap)
            assert ask(here, b"one") == b"got one"
            with served.connect() as comes:
                assert ask(comes, b"two") == b"got two"
            served.server.detach(tap)
            assert ask(here, b"after") == b"got after"
    assert tap.seen == [(1, RECEIVED, b"one"), (1, SENT, b"got one"), (2, RECEIVED, b"two"), (2, SENT, b"got two")]


class Shift(Tap):
    """Holds the last byte of each chunk back until the next; alters what goes by."""

    alters = True

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        data = self.held.pop(direction, b"") + data
        self.held[direction] = data[-1:]
        return data[:-1].upper()

    def finish(self, connection: int, direction: str) -> bytes:
        return self.held.pop(direction, b"").upper()


@pytest.mark.parametrize("piece", ["a", "abc"])
def test_taps_that_alter_lose_nothing(engine: str, piece: str) -> None:
    with serving("reply:<{data}>", engine=engine) as served:
        served.server.attach(Shift())
        with served.connect() as client:
            client.sendall(piece.encode())
            client.shutdown(socket.SHUT_WR)
            answer = everything(client)
        assert answer.replace(b"<", b"").replace(b">", b"") == piece.upper().encode()
        assert answer.count(b"<") == answer.count(b">") == (1 if len(piece) == 1 else 2)


def test_a_tap_that_raises_ends_its_connection_alone(engine: str) -> None:
    class Broken(Tap):
        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
            if data == b"fail":
                raise ValueError("on purpose")
            return None

    with serving("echo", engine=engine) as served:
        served.server.attach(Broken())
        with served.connect() as bystander, served.connect() as client:
            assert ask(bystander, b"x") == b"x"
            assert ask(client, b"fail") == b""
            assert served.events.wait(Failed).error == "ValueError: on purpose"
            assert served.events.wait(Closed).reason == "handler error"
            assert ask(bystander, b"y") == b"y"


def forever(hold: threading.Event) -> Any:
    def stay(connection: Connection) -> None:
        connection.send(b"ready")
        while not hold.wait(60):
            pass

    return stay


def test_a_thread_that_will_not_end_is_named_with_its_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CUT_TIME", 0.2)
    hold = threading.Event()
    server_threads = threading.active_count()
    try:
        server = serve(forever(hold), "127.0.0.1:0", on_event=(events := []).append)
        with connect(server.address.port or 0) as client:
            assert exactly(client, 5) == b"ready"
            started = time.monotonic()
            assert server.stop(0.1) == 1
            assert time.monotonic() - started < 2
            assert server.stuck == 1
            assert client.recv(1) == b"", "its client is not left waiting"
        failed = [each for each in events if isinstance(each, Failed)]
        assert len(failed) == 1
        assert failed[0].error == "the handler stay will not end"
        assert "while not hold.wait(60)" in failed[0].traceback
        assert failed[0].connection == 1
        assert events[-1].stuck == 1
    finally:
        hold.set()
        eventually(lambda: threading.active_count() <= server_threads, "the handler's thread")


def test_a_coroutine_that_waits_for_something_else_is_cancelled(loop: str) -> None:
    """Its stop takes a second more, but it is no handler that will not end."""
    ended: list[str] = []

    async def stay(connection: AsyncConnection) -> None:
        await connection.send(b"ready")
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("orderly")

    with serving(stay) as served, served.connect() as client:
        assert exactly(client, 5) == b"ready"
        assert served.server.stop(0) == 0
        assert ended == ["orderly"]
        assert served.events.of(Closed)[0].reason == "shutdown"
        assert not served.failures


def test_a_kicked_coroutine_that_waits_for_something_else_is_cancelled(loop: str) -> None:
    async def stay(connection: AsyncConnection) -> None:
        await connection.send(b"ready")
        await asyncio.sleep(3600)

    with serving(stay) as served, served.connect() as client:
        assert exactly(client, 5) == b"ready"
        assert served.server.kick(1)
        assert client.recv(1) == b""
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "kicked")


def test_a_coroutine_that_will_not_end_is_named_with_its_stack(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CUT_TIME", 0.2)

    async def inner() -> None:
        await asyncio.Event().wait()

    async def stay(connection: AsyncConnection) -> None:
        await connection.send(b"ready")
        await inner()

    with serving(stay) as served, served.connect() as client:
        assert exactly(client, 5) == b"ready"
        assert served.server.stop(0) == 1
        (failed,) = served.failures
        assert failed.error == "the handler stay will not end"
        for line in ("await inner()", "await asyncio.Event().wait()", "in wait"):
            assert line in failed.traceback, "the whole chain of what is awaited"


@pytest.mark.parametrize("kind", ["responder", "coroutine"])
def test_what_blocks_the_loop_is_named_and_nobody_else(loop: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CUT_TIME", 0.2)
    hold = threading.Event()

    class Blocks(Responder):
        def receive(self, data: bytes) -> bytes | None:
            if data == b"block":
                while not hold.wait(60):
                    pass
            return data

    async def blocks(connection: AsyncConnection) -> None:
        while data := await connection.receive():
            await connection.send(Blocks().receive(data) or b"")

    threads = threading.active_count()
    events: list[Any] = []
    server = serve(Blocks if kind == "responder" else blocks, "127.0.0.1:0", engine="async", on_event=events.append)
    try:
        port = server.address.port or 0
        with connect(port) as other, connect(port) as client:
            assert ask(other, b"x") == b"x"
            assert ask(client, b"y") == b"y"
            blocking = client.getsockname()[1]
            client.sendall(b"block")
            eventually(lambda: not hold.is_set() and _is_blocked(server), "the loop is blocked")
            started = time.monotonic()
            assert server.stop(0.05) == 1
            assert time.monotonic() - started < 5
        (failed,) = (each for each in events if isinstance(each, Failed))
        assert failed.error.endswith("blocks the event loop and will not end")
        assert failed.peer.port == blocking
        assert "while not hold.wait(60)" in failed.traceback
    finally:
        hold.set()
        eventually(lambda: threading.active_count() <= threads, "the loop's thread")


def _is_blocked(server: Any) -> bool:
    answered = threading.Event()
    server._engine._loop.call_soon_threadsafe(answered.set)
    return not answered.wait(0.2)


def test_kicking_who_is_not_there(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        assert served.server.kick(1) is False


def test_live_connections_are_listed(engine: str) -> None:
    with serving("echo", engine=engine) as served:
        with served.connect() as first, served.connect() as second:
            assert ask(first, b"abc") == b"abc"
            assert ask(second, b"x") == b"x"
            # What was sent is counted when it has been, and a client may have it before that.
            eventually(lambda: sum(each.sent for each in served.server.connections) == 4, "all is counted")
            infos = served.server.connections
            by_port = {each.peer.port: each for each in infos}
            info = by_port[first.getsockname()[1]]
            assert (info.received, info.sent, info.state) == (3, 3, "open")
            assert info.local == served.server.address
            assert 0 <= info.idle <= info.seconds
            if engine == "threads":
                assert {each.name for each in threading.enumerate()} >= {each.thread for each in infos}
                assert len({each.thread for each in infos}) == 2


def test_the_peers_end_shows_in_the_list(engine: str) -> None:
    """A client that has half-closed while it is still being answered."""
    with serving("chargen", engine=engine) as served, served.connect() as client:
        client.shutdown(socket.SHUT_WR)
        served.events.wait(HalfClosed)
        eventually(lambda: served.server.connections[0].state == "peer ended", "the state")
