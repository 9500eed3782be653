"""A room: everybody hears, nobody is stopped by one who does not read."""

from __future__ import annotations

import contextlib
import hashlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, Served, eventually, everything, exactly, reset, serving
from wirecat.connection import Connection
from wirecat.errors import UsageError
from wirecat.events import Closed, Opened
from wirecat.server.handlers.broker import Broker
from wirecat.server.room import Room

MEGABYTE = b"m" * (1 << 20)


def stalled_client(served: Served) -> socket.socket:
    """A client that reads nothing as yet, and has less room than usual for what it is sent."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", served.port))
    return client


def test_joining_twice_is_wrong() -> None:
    seen: list[str] = []
    room = Room()

    def handler(connection: Connection) -> None:
        with room.join(connection):
            assert len(room) == 1
            try:
                room.join(connection)
            except UsageError as error:
                seen.append(str(error))
            connection.send(b"done")

    with serving(handler) as served, served.connect() as client:
        assert client.recv(10) == b"done"
    assert "in this room already" in seen[0]
    assert len(room) == 0


def test_one_stalled_client_stops_nobody() -> None:
    """Ten megabytes to three clients, of which one never reads: that one is cut and told, the others get it all."""
    broker = Broker(Room(limit=65536))
    with serving(broker) as served:
        stalled = stalled_client(served)
        wait_there(broker, 1)
        with served.connect() as speaker, served.connect() as one, served.connect() as two, stalled:
            wait_there(broker, 4)
            hashes = {}

            def listen(name: str, client: socket.socket) -> None:
                hashes[name] = hashlib.sha256(exactly(client, 20 << 20)).hexdigest()

            listeners = [threading.Thread(target=listen, args=pair) for pair in (("one", one), ("two", two))]
            for thread in listeners:
                thread.start()
            began = time.monotonic()
            for _ in range(20):
                speaker.sendall(MEGABYTE)
            for thread in listeners:
                thread.join(PATIENCE)
            assert time.monotonic() - began < PATIENCE / 2
            assert hashes == dict.fromkeys(("one", "two"), hashlib.sha256(MEGABYTE * 20).hexdigest())
            closed = served.events.wait(Closed)
            assert (closed.by, closed.reason, closed.connection) == ("server", "too slow", 1)
            assert ask_through(one, two, b"we are still here")


def wait_there(broker: Broker, count: int) -> None:
    """An Opened event comes before the client is in the room."""
    eventually(lambda: len(broker.room) == count, f"{count} clients are there")


def exhaust(client: socket.socket) -> None:
    while client.recv(1 << 20):
        pass


def ask_through(speaker: socket.socket, listener: socket.socket, said: bytes) -> bool:
    speaker.sendall(said)
    return exactly(listener, len(said)) == said


@contextlib.contextmanager
def pouring(speaker: socket.socket, listener: socket.socket) -> Iterator[list[float]]:
    """Send without end, and read it; the times of at least a tenth of a second in which nothing came."""
    stop, gaps = threading.Event(), [0.0]

    def speak() -> None:
        while not stop.is_set():
            speaker.sendall(bytes(1 << 16))

    def listen() -> None:
        last = time.monotonic()
        while listener.recv(1 << 20):
            now = time.monotonic()
            if now - last >= 0.1:
                gaps.append(now - last)
            last = now

    threads = [threading.Thread(target=speak), threading.Thread(target=listen)]
    for thread in threads:
        thread.start()
    try:
        yield gaps
    finally:
        stop.set()
        threads[0].join(PATIENCE)
        listener.shutdown(socket.SHUT_WR)
        threads[1].join(PATIENCE)


def test_member_that_reads_slowly_is_cut_off_after_its_allowance() -> None:
    """It takes every piece in the end, so that no single wait is long: they count together."""
    broker = Broker(Room(limit=65536))
    with serving(broker) as served, stalled_client(served) as slow:
        wait_there(broker, 1)
        with served.connect() as speaker, served.connect() as listener:
            wait_there(broker, 3)

            def read_a_little() -> None:
                while slow.recv(10_000):
                    time.sleep(0.01)

            reading = threading.Thread(target=read_a_little)
            reading.start()
            with pouring(speaker, listener) as gaps:
                closed = served.events.wait(Closed)
            assert (closed.connection, closed.by, closed.reason) == (1, "server", "too slow")
            assert sum(gaps) < 1.0
            reading.join(PATIENCE)


def test_members_that_never_read_and_join_again_cause_no_stalls() -> None:
    """What the first has used up is not given to those who come after it from the same host."""
    broker = Broker(Room(limit=65536))
    with serving(broker) as served, served.connect() as speaker, served.connect() as listener:
        wait_there(broker, 2)
        with pouring(speaker, listener) as gaps:
            for count in range(1, 11):
                with stalled_client(served):
                    served.events.wait(Closed, count, reason="too slow")
        assert sum(gaps) < 1.0, "ten allowances would be two seconds"


def test_where_nobody_keeps_up_the_room_goes_at_the_pace_of_the_fastest() -> None:
    """Slower than the sender is no fault: a file to three clients over a network that is slower than the disk."""
    broker = Broker(Room(limit=65536))
    size = 6 << 20
    with serving(broker) as served, stalled_client(served) as one, stalled_client(served) as two:
        wait_there(broker, 2)
        with served.connect() as speaker:
            wait_there(broker, 3)
            got = dict.fromkeys((one, two), 0)

            def read_at_one_pace() -> None:
                while min(got.values()) < size:
                    for client in (one, two):
                        if got[client] < size:
                            got[client] += len(exactly(client, min(50_000, size - got[client])))
                    time.sleep(0.005)

            reading = threading.Thread(target=read_at_one_pace)
            reading.start()
            for _ in range(6):
                speaker.sendall(MEGABYTE)
            reading.join(PATIENCE)
            assert set(got.values()) == {size}
            assert not served.events.of(Closed)


def test_member_that_takes_nothing_is_cut_off_where_nobody_keeps_up() -> None:
    """The last that is left has the room to itself, as in a pipe."""
    broker = Broker(Room(limit=65536, stall=0.3))
    with serving(broker) as served, stalled_client(served) as one, stalled_client(served) as two:
        wait_there(broker, 2)
        with served.connect() as speaker:
            wait_there(broker, 3)
            sending = threading.Thread(target=lambda: [speaker.sendall(MEGABYTE) for _ in range(12)])
            sending.start()
            served.events.wait(Closed, reason="too slow")
            for client in (one, two):
                client.close()
            sending.join(PATIENCE)


def test_many_stalled_clients_delay_the_room_once() -> None:
    broker = Broker(Room(limit=65536, allowance=0.5))
    with serving(broker) as served:
        stalled = [stalled_client(served) for _ in range(20)]
        wait_there(broker, 20)
        with served.connect() as speaker, served.connect() as listener:
            wait_there(broker, 22)
            got: list[bytes] = []
            thread = threading.Thread(target=lambda: got.append(exactly(listener, 20 << 20)))
            thread.start()
            began = time.monotonic()
            for _ in range(20):
                speaker.sendall(MEGABYTE)
            thread.join(PATIENCE)
            assert time.monotonic() - began < 6, "one after the other it would be ten seconds"
            assert len(got[0]) == 20 << 20
            served.events.wait(Closed, 20, reason="too slow")
        for client in stalled:
            client.close()


def test_a_single_listener_is_waited_for_as_in_a_pipe() -> None:
    """However slow it is, nothing is lost and nobody is cut."""
    broker = Broker(Room(limit=65536, allowance=0.05, stall=0.05))
    with serving(broker) as served:
        with stalled_client(served) as listener, served.connect() as speaker:
            wait_there(broker, 2)
            writer = threading.Thread(target=lambda: [speaker.sendall(MEGABYTE) for _ in range(12)])
            writer.start()
            writer.join(0.5)
            assert writer.is_alive(), "the speaker is held back"
            assert not served.events.of(Closed)
            assert exactly(listener, 12 << 20) == MEGABYTE * 12
            writer.join(PATIENCE)


def test_a_new_client_is_not_held_up_by_a_pipe_that_stands() -> None:
    """As soon as there are two listeners the slow one has its time, and no more."""
    broker = Broker(Room(limit=65536, allowance=0.2))
    with serving(broker) as served:
        with stalled_client(served), served.connect() as speaker:
            wait_there(broker, 2)
            writer = threading.Thread(target=lambda: [speaker.sendall(MEGABYTE) for _ in range(12)])
            writer.start()
            writer.join(0.3)
            assert writer.is_alive()
            with served.connect() as new:
                wait_there(broker, 3)
                assert exactly(new, 100_000) == MEGABYTE[:100_000]
                assert served.events.wait(Closed).reason == "too slow"
                left = (10 << 20) - 100_000  # what was said before it came, it does not hear
                assert len(exactly(new, left // 2)) == left // 2
                reader = threading.Thread(target=exhaust, args=(new,))
                reader.start()
                writer.join(PATIENCE)
                assert not writer.is_alive()
                new.shutdown(socket.SHUT_WR)
                reader.join(PATIENCE)


def test_a_speaker_that_is_held_back_can_be_cut() -> None:
    broker = Broker(Room(limit=65536))
    with serving(broker) as served:
        with stalled_client(served), served.connect() as speaker:
            wait_there(broker, 2)

            def speak() -> None:
                try:
                    while True:
                        speaker.sendall(MEGABYTE)
                except OSError:
                    return

            writer = threading.Thread(target=speak)
            writer.start()
            writer.join(0.3)
            assert writer.is_alive()
            number = served.events.wait(Opened, 2).connection
            assert served.server.kick(number)
            assert served.events.wait(Closed, connection=number, timeout=3).reason == "kicked"
            writer.join(PATIENCE)


def test_the_server_stops_at_once_though_everybody_is_held_up() -> None:
    broker = Broker(Room(limit=65536))
    with serving(broker) as served:
        stalled = [stalled_client(served) for _ in range(2)]
        wait_there(broker, 2)

        def speak(client: socket.socket) -> None:
            try:
                while True:
                    client.sendall(MEGABYTE)
            except OSError:
                return

        writers = [threading.Thread(target=speak, args=(client,)) for client in stalled]
        for writer in writers:
            writer.start()
        writers[0].join(0.3)
        began = time.monotonic()
        assert served.server.stop(0) == 0
        assert time.monotonic() - began < 2
        for writer in writers:
            writer.join(PATIENCE)
        for client in stalled:
            client.close()


def test_who_ends_gets_what_was_said_before() -> None:
    """A client that half-closes leaves, but what waits for it comes first."""
    broker = Broker(Room(limit=20 << 20))
    with serving(broker) as served:
        with stalled_client(served) as listener, served.connect() as speaker, served.connect() as other:
            wait_there(broker, 3)
            speaker.sendall(MEGABYTE * 12)
            assert exactly(other, 12 << 20) == MEGABYTE * 12
            listener.shutdown(socket.SHUT_WR)
            assert everything(listener) == MEGABYTE * 12
            assert served.events.wait(Closed).reason == "end"


def test_who_ends_and_does_not_read_is_cut() -> None:
    broker = Broker(Room(limit=20 << 20))
    with serving(broker) as served:
        with stalled_client(served) as listener, served.connect() as speaker, served.connect() as other:
            wait_there(broker, 3)
            speaker.sendall(MEGABYTE * 12)
            assert exactly(other, 12 << 20) == MEGABYTE * 12
            listener.shutdown(socket.SHUT_WR)
            assert served.events.wait(Closed).reason == "too slow"


def test_a_reset_of_one_does_not_disturb_the_others() -> None:
    broker = Broker()
    with serving(broker) as served:
        with served.connect() as one, served.connect() as two:
            wait_there(broker, 2)
            for _ in range(30):
                third = served.connect()
                one.sendall(b"x")
                assert two.recv(1) == b"x"
                reset(third)
                assert ask_through(two, one, b"y")
        assert not served.failures


@pytest.mark.slow
def test_hundreds_of_clients_hear_each_other() -> None:
    """Each of 300 says one word to the 299 others: everybody gets all of them."""
    count = 300
    broker = Broker()
    with serving(broker) as served:
        clients = [served.connect() for _ in range(count)]
        wait_there(broker, count)
        selector = selectors.DefaultSelector()
        got = dict.fromkeys(clients, 0)
        for number, client in enumerate(clients):
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ)
            client.send(b"%09d\n" % number)
        deadline = time.monotonic() + 40
        while any(each < 10 * (count - 1) for each in got.values()):
            assert time.monotonic() < deadline, sorted(got.values())[:5]
            for key, _ in selector.select(1):
                client = key.fileobj  # type: ignore[assignment]
                got[client] += len(client.recv(1 << 20))
        assert set(got.values()) == {10 * (count - 1)}
        selector.close()
        for client in clients:
            client.close()
