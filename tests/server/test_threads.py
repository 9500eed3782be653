"""The thread engine: a thread a client, gone when it should be; answers of every size; and machines without threads."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time

import pytest

from server.clients import PATIENCE, ask, eventually, everything, exactly, read_slowly, serving, stands_still
from wirecat import Connection, Responder
from wirecat.events import Closed, Failed, HalfClosed
from wirecat.server import threads as module


def names() -> set[str]:
    return {each.name for each in threading.enumerate()}


def test_each_client_has_a_thread_of_its_own_which_ends_with_it() -> None:
    with serving("echo", engine="threads") as served:
        clients = [served.connect() for _ in range(10)]
        for client in clients:
            assert ask(client, b"x") == b"x"
        assert {f"wirecat-{number}" for number in range(1, 11)} <= names()
        assert all(each.daemon for each in threading.enumerate() if each.name.startswith("wirecat"))
        for client in clients:
            client.close()
        served.wait_gone(10)
        eventually(lambda: not any(f"wirecat-{number}" in names() for number in range(1, 11)), "all threads ended")


def test_stop_waits_for_the_threads_themselves() -> None:
    """Not for their connections alone: the moment after, there are as many threads as before."""
    before = threading.active_count()
    for _ in range(20):
        with serving("echo", engine="threads") as served:
            for _ in range(5):
                served.connect().close()
        assert threading.active_count() == before


def test_a_thread_that_ends_does_not_wait_for_those_that_live() -> None:
    with serving("echo", engine="threads") as served, served.connect() as lives:
        assert ask(lives, b"x") == b"x"
        for number in range(1, 21):
            served.connect().close()
            served.wait_gone(number)
        eventually(lambda: len([each for each in names() if each.startswith("wirecat-")]) <= 3, "threads end")
        assert ask(lives, b"y") == b"y"


def test_stacks_are_small_for_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.stack_size()
    with serving("echo", engine="threads") as served, served.connect() as client:
        assert ask(client, b"x") == b"x"
        eventually(lambda: threading.stack_size() == before, "it is as it was")


def test_stacks_of_others_stay_as_they_are_beside_two_servers() -> None:
    """The size is the whole process', and each server sets it for its threads and sets it back."""
    before = threading.stack_size()
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving("echo", engine="threads")) for _ in range(2)]
        clients = [stack.enter_context(served.connect()) for _ in range(100) for served in servers]
        for client in clients:
            assert ask(client, b"x") == b"x"
        eventually(lambda: threading.stack_size() == before, "it is as it was")


def test_without_a_thread_the_client_is_turned_away_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: a client that keeps silent must not keep the others waiting at the door."""
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name in ("wirecat-1", "wirecat-2"):
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with serving("echo", engine="threads") as served:
        started = time.monotonic()
        for _ in range(2):
            client = served.connect()
            client.sendall(b"x")
            with client, pytest.raises(ConnectionResetError):
                assert client.recv(1) == b""
                raise ConnectionResetError  # an orderly end will do as well
        with served.connect() as third:
            assert ask(third, b"x") == b"x"
        assert time.monotonic() - started < module.LINGER
        failed = served.events.wait(Failed, 2)
        assert failed.error == "no thread to serve it: can't start new thread"
        assert failed.connection == 2
        closed = served.events.of(Closed)[0]
        assert (closed.by, closed.reason) == ("server", "no thread left")
        assert served.server.stop() == 0


def test_answers_larger_than_any_buffer_are_counted_as_they_go() -> None:
    size = 30_000_000

    class Much(Responder):
        def receive(self, data: bytes) -> bytes | None:
            return b"x" * size

    with serving(Much, engine="threads", idle_timeout=1.0) as served, served.connect() as client:
        client.sendall(b"x")
        read_slowly(client, size)
        eventually(lambda: [info.sent for info in served.server.connections] == [size], "the last piece is counted")
        client.close()
        assert served.wait_gone()[0].reason == "end"


def test_the_pieces_are_no_larger_than_asked_for() -> None:
    sizes: list[int] = []

    class Note(Responder):
        def receive(self, data: bytes) -> bytes | None:
            sizes.append(len(data))
            return data

    with serving(Note, engine="threads", chunk=7) as served, served.connect() as client:
        client.sendall(b"x" * 100)
        assert exactly(client, 100) == b"x" * 100
    assert sum(sizes) == 100 and max(sizes) == 7


class Count(Responder):
    """Streams ``limit`` numbers; counts what it gets."""

    streams = True
    limit = 5

    def __init__(self) -> None:
        self.number = 0
        self.got = b""

    def opened(self) -> bytes | None:
        return b"begin "

    def receive(self, data: bytes) -> bytes | None:
        self.got += data
        if b"stop" in self.got:
            self.finished = True
        if b"fail" in self.got:
            raise ValueError("on purpose")
        return None

    def more(self) -> bytes | None:
        self.number += 1
        return b"%d " % self.number if self.number <= self.limit else None


class Endless(Count):
    limit = sys.maxsize


class EmptyAtTheEnd(Count):
    """What gives nothing more gives nothing more, whichever way it says so."""

    def more(self) -> bytes | None:
        return super().more() or b""


@pytest.mark.parametrize("kind", [Count, EmptyAtTheEnd])
def test_an_answer_that_streams_may_end(engine: str, kind: type[Count]) -> None:
    with serving(kind, engine=engine) as served:
        with served.connect() as client:
            client.sendall(b"x" * 1000)
            assert everything(client) == b"begin 1 2 3 4 5 "
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.sent) == ("server", "end", 16)


def test_an_answer_that_streams_ends_when_it_has_finished(engine: str) -> None:
    with serving(Endless, engine=engine) as served, served.connect() as client:
        assert exactly(client, 10) == b"begin 1 2 "
        client.sendall(b"stop")
        assert everything(client)[:2] in (b"", b"3 ")
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "end")


def test_an_answer_that_streams_goes_on_after_the_clients_half_close(engine: str) -> None:
    with serving(Endless, engine=engine) as served, served.connect() as client:
        client.shutdown(socket.SHUT_WR)
        served.events.wait(HalfClosed)
        assert len(exactly(client, 1_000_000)) == 1_000_000
        client.close()
        (closed,) = served.wait_gone()
        assert closed.by == "peer"


@pytest.mark.parametrize("reads", [True, False])
def test_what_a_streaming_responder_raises_while_it_receives(engine: str, reads: bool) -> None:
    """Also while its answer waits for a client that reads nothing."""
    with serving(Endless, engine=engine) as served, served.connect() as client:
        if reads:
            assert exactly(client, 10) == b"begin 1 2 "
        else:
            eventually(lambda: stands_still(served.server), "the answer fills the buffers")
        client.sendall(b"fail")
        failed = served.events.wait(Failed)
        assert failed.error == "ValueError: on purpose"
        client.close()
        assert served.wait_gone()[0].reason == "handler error"


def test_what_more_raises(engine: str) -> None:
    class Fails(Count):
        def more(self) -> bytes | None:
            if self.number == 2:
                raise ValueError("on purpose")
            return super().more()

    with serving(Fails, engine=engine) as served, served.connect() as client:
        assert exactly(client, 10) == b"begin 1 2 "
        assert served.events.wait(Failed).error == "ValueError: on purpose"
        assert served.wait_gone()[0].reason == "handler error"


def test_a_stalled_client_holds_no_other_up(engine: str) -> None:
    """One writes without reading, so the server waits for it: the others are served, memory is bounded."""
    with serving("echo", engine=engine) as served:
        with served.connect() as stalled:
            stalled.setblocking(False)
            sent = 0
            try:
                while sent < 100_000_000:
                    sent += stalled.send(b"x" * 65536)
                    if sent % (1 << 20) == 0:
                        threading.Event().wait(0.001)
            except BlockingIOError:
                eventually(lambda: stands_still(served.server), "it stands still")
            assert sent < 50_000_000, "the buffers of two systems, and not more"
            with served.connect() as other:
                for _ in range(100):
                    assert ask(other, b"y") == b"y"
            info = served.server.connections[0]
            assert info.received - info.sent < 2_000_000
            stalled.settimeout(PATIENCE)  # and it goes on as soon as the client reads
            stalled.shutdown(socket.SHUT_WR)
            assert len(everything(stalled)) == sent


def test_a_stalled_client_is_idle(engine: str) -> None:
    with serving("echo", engine=engine, idle_timeout=0.3) as served:
        with served.connect() as stalled:
            stalled.settimeout(2)
            with pytest.raises(OSError):
                while True:
                    stalled.sendall(b"x" * 65536)
            (closed,) = served.wait_gone()
            assert (closed.by, closed.reason) == ("server", "idle")


def test_a_function_that_closes_by_itself_is_left_alone() -> None:
    def close(connection: Connection) -> None:
        connection.send(b"bye")
        connection.close()

    with serving(close) as served:
        with served.connect() as client:
            assert everything(client) == b"bye"
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("server", "end")


def test_who_was_first_is_known_though_the_handler_did_not_look() -> None:
    hold = threading.Event()

    def late(connection: Connection) -> None:
        hold.wait(PATIENCE)

    with serving(late) as served:
        with served.connect() as client:
            client.shutdown(socket.SHUT_WR)
            served.wait_open()
            hold.set()
            assert client.recv(1) == b""
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason) == ("peer", "end")


def test_a_function_that_half_closes_was_first() -> None:
    def bye(connection: Connection) -> None:
        connection.send(b"bye")
        connection.half_close()
        while connection.receive() is not None:
            pass

    with serving(bye) as served:
        with served.connect() as client:
            assert everything(client) == b"bye"
            client.sendall(b"so long")
        (closed,) = served.wait_gone()
        assert (closed.by, closed.reason, closed.received) == ("server", "end", 7)
