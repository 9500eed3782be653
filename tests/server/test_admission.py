"""Admission by a thread and by an event loop: whatever happens to one client, the next is let in; what is swept away."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

import pytest

from server.clients import PATIENCE, ask, connect, eventually, everything, reset, serving
from wirecat.endpoints.listener import Listener
from wirecat.events import Closed, Denied, Failed, Opened
from wirecat.server import admission as module
from wirecat.server.server import Server


def test_the_limit_holds_and_is_told(engine: str) -> None:
    with serving("echo", engine=engine, max_connections=3) as served:
        clients = [served.connect() for _ in range(3)]
        for client in clients:
            assert ask(client, b"x") == b"x"
        with served.connect() as fourth:
            assert everything(fourth) == b""
        denied = served.events.wait(Denied)
        assert denied.reason == "connection limit reached (3)"
        assert denied.peer.host == "127.0.0.1"
        assert ask(clients[0], b"y") == b"y"
        clients.pop().close()
        served.wait_gone()
        with served.connect() as again:
            assert ask(again, b"z") == b"z"
        for client in clients:
            client.close()
        assert served.server.limit == 3
        assert served.wait_gone(4)[-1].open_count == 0


def test_the_limit_holds_in_a_burst(engine: str) -> None:
    """200 at once: as many as the limit are let in and every other is told, none is let in beyond."""
    with serving("echo", engine=engine, max_connections=50) as served:
        clients = []
        for _ in range(200):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", served.port))
            clients.append(client)
        served.events.wait(Denied, 150)
        served.wait_open(50)
        assert len(served.server.connections) == 50
        assert max(each.open_count for each in served.events.of(Opened)) == 50
        for client in clients:
            client.close()
        closed = served.wait_gone(50)
        assert len(served.events.of(Denied)) == 150
        assert closed[-1].open_count == 0
        for _ in range(50):  # and all the places are free again
            clients.append(served.connect())
        for client in clients[-50:]:
            assert ask(client, b"x") == b"x"
            client.close()


def test_many_come_and_go_at_the_limit(engine: str) -> None:
    """A place is free as soon as its client has gone, neither earlier nor later."""
    with serving("echo", engine=engine, max_connections=1) as served:
        for number in range(1, 101):
            with served.connect() as client:
                assert ask(client, b"x") == b"x"
                client.shutdown(socket.SHUT_WR)
                assert client.recv(1) == b""
            served.wait_gone(number)
        assert not served.events.of(Denied)


def test_who_may_come_in(engine: str) -> None:
    with serving("echo", engine=engine, deny=["127.0.0.2"], allow=["127.0.0.0/8"]) as served:
        for host, welcome in (("127.0.0.1", True), ("127.0.0.2", False), ("127.0.0.3", True)):
            with socket.socket() as client:
                client.settimeout(PATIENCE)
                client.bind((host, 0))
                client.connect(("127.0.0.1", served.port))
                if welcome:
                    assert ask(client, b"x") == b"x"
                else:
                    assert everything(client) == b""
        denied = served.events.wait(Denied)
        assert (denied.peer.host, denied.reason) == ("127.0.0.2", "not allowed")
        assert len(served.events.of(Denied)) == 1


def test_who_may_come_in_by_ipv6(engine: str) -> None:
    with serving("echo", "[::1]:0", engine=engine, deny=["::1"]) as served:
        with served.connect(host="::1") as client:
            assert everything(client) == b""
        assert str(served.events.wait(Denied).peer).startswith("[::1]:")


def test_one_and_no_more(engine: str) -> None:
    with serving("echo", engine=engine, once=True, deny=["127.0.0.2"]) as served:
        with socket.socket() as unwelcome:
            unwelcome.bind(("127.0.0.2", 0))
            unwelcome.settimeout(PATIENCE)
            unwelcome.connect(("127.0.0.1", served.port))
            assert everything(unwelcome) == b"", "who is turned away is not the one"
        with served.connect() as client:
            assert ask(client, b"x") == b"x"
            assert not served.server.wait(0)
            with pytest.raises(ConnectionRefusedError):
                served.connect()
        assert served.server.wait(PATIENCE)
        assert served.server.served == 1


def test_one_whose_handler_cannot_even_be_made(engine: str) -> None:
    class NeverMade:
        def __init__(self) -> None:
            raise ValueError("not to be had")

        def receive(self, data: bytes) -> bytes:
            return data

    with serving(NeverMade, engine=engine, once=True) as served:
        with served.connect() as client:
            assert everything(client) == b""
        assert served.server.wait(PATIENCE)


def fail_to_accept(monkeypatch: pytest.MonkeyPatch, numbers: list[int]) -> list[float]:
    """Let accept fail with each of ``numbers`` in turn; gives the times at which it was tried, 0 behind an empty queue."""
    real, times = module.accept_from, []

    def accept(listening: socket.socket) -> Any:
        times.append(time.monotonic())
        if numbers:
            raise OSError(numbers.pop(0), "no room")
        found = real(listening)
        if found is None:
            times.append(0)
        return found

    monkeypatch.setattr(module, "accept_from", accept)
    return times


def test_without_descriptors_it_waits_and_tries_again(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setattr(module, "RETRY", 0.05)
    times = fail_to_accept(monkeypatch, [errno.EMFILE, errno.ENFILE, errno.EMFILE])
    with serving("echo", engine=engine) as served, served.connect() as client:
        assert ask(client, b"x") == b"x"
        eventually(lambda: times[-1] == 0, "the queue is empty")
        assert len(times) == 6, "no spinning"
        assert times[3] - times[0] > 0.14
        (failed,) = served.failures
        assert (
            failed.error
            == "cannot accept: no room (0 connections are open); new clients wait until a connection closes"
        )
        assert failed.connection is None


def test_room_that_becomes_free_is_used_at_once(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setattr(module, "RETRY", 1000.0)
    numbers: list[int] = []
    times = fail_to_accept(monkeypatch, numbers)
    with serving("echo", engine=engine) as served:
        with served.connect() as first:
            assert ask(first, b"x") == b"x"
            eventually(lambda: times[-1] == 0, "the queue is empty")
            numbers.append(errno.EMFILE)
            second = served.connect()
            failed = served.events.wait(Failed)
            assert "(1 connection is open)" in failed.error
        with second:
            assert ask(second, b"y") == b"y"
        served.events.wait(Closed, 2)  # else its end, which makes room, may come after the next failure
        eventually(lambda: times[-1] == 0, "the queue is empty")
        numbers.append(errno.EMFILE)
        with served.connect() as third:
            served.events.wait(Failed, 2)
            assert served.server.stop(0) == 0, "the end need not wait for room"
            with pytest.raises(ConnectionResetError):
                third.sendall(b"x")
                third.recv(1)


def test_idle_connections_are_swept_though_there_is_no_room(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setattr(module, "RETRY", 1000.0)
    numbers: list[int] = []
    times = fail_to_accept(monkeypatch, numbers)
    with serving("echo", engine=engine, idle_timeout=1.0) as served, served.connect() as first:
        served.wait_open()
        eventually(lambda: times[-1] == 0, "the queue is empty")
        numbers.append(errno.EMFILE)
        with served.connect() as second:
            served.events.wait(Failed)
            assert served.events.wait(Closed).reason == "idle"
            assert ask(second, b"x") == b"x"
        assert first.recv(1) == b""


def test_a_client_that_cannot_be_adopted_is_closed_and_told(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    turn = iter([True, False])

    def place(raw: Any) -> bool:
        if next(turn):
            raise ValueError("on purpose")
        return True

    monkeypatch.setattr("wirecat.server.access.AccessList.permits", lambda self, host: place(host))
    with serving("echo", engine=engine) as served:
        with served.connect() as first:
            assert everything(first) == b""
        assert served.events.wait(Failed).error == "ValueError: on purpose"
        with served.connect() as second:
            assert ask(second, b"x") == b"x"


def test_clients_that_give_up_in_the_queue(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """Reset before they were accepted: each is passed over or gone at once."""
    hold = threading.Event()
    real = module.accept_from

    def accept(listening: socket.socket) -> Any:
        assert hold.wait(PATIENCE)
        return real(listening)

    monkeypatch.setattr(module, "accept_from", accept)
    with serving("echo", engine=engine) as served:
        for _ in range(20):
            reset(served.connect())
        hold.set()
        with served.connect() as client:
            assert ask(client, b"x") == b"x"
            eventually(lambda: len(served.server.connections) == 1, "only the last is left")
            for closed in served.events.of(Closed):
                assert (closed.by, closed.reason) == ("peer", "reset")
        assert not served.failures


def test_descriptors_are_given_back_when_it_cannot_even_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Listener] = []
    real = Listener.__init__

    def note(self: Listener, *arguments: Any, **more: Any) -> None:
        opened.append(self)
        real(self, *arguments, **more)

    def no_more() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Listener, "__init__", note)
    monkeypatch.setattr(socket, "socketpair", no_more)
    with pytest.raises(OSError, match="Too many open files"), serving("echo"):
        pass
    assert opened and all(each.fileno() < 0 for each in opened[0].sockets)


def test_a_stop_before_the_start(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    ports: list[int] = []

    def fail(server: Server) -> None:
        ports.append(server.addresses[0].port or 0)
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"), serving("echo", engine=engine, on_start=fail):
        pass
    with pytest.raises(ConnectionRefusedError):
        connect(ports[0])


def test_the_one_that_cannot_be_adopted_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def adopt(self: Any, *arguments: Any) -> None:
        raise ValueError("on purpose")

    monkeypatch.setattr("wirecat.server.threads.ThreadEngine.adopt", adopt)
    with serving("echo", once=True) as served:
        with served.connect() as client:
            assert everything(client) == b""
        assert served.server.wait(PATIENCE)


def test_the_door_is_shut_before_the_one_is_served(engine: str) -> None:
    for _ in range(20):
        with serving("daytime", engine=engine, once=True) as served, served.connect() as client:
            assert client.recv(100)
            with pytest.raises(ConnectionRefusedError):
                served.connect()
