"""The broker: byte for byte to all the others, and to nobody else."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Iterator

from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, Served, eventually, everything, exactly, serving
from wirecat.events import Closed
from wirecat.server.handlers.broker import Broker, make


@contextlib.contextmanager
def crowd(count: int) -> Iterator[tuple[Served, Broker, list[socket.socket]]]:
    """So many clients, all in the room."""
    broker = make("")
    with serving(broker) as served, contextlib.ExitStack() as stack:
        clients = []
        for number in range(count):
            clients.append(stack.enter_context(served.connect()))
            eventually(lambda: len(broker.room) == number + 1, "it is there")  # noqa: B023  called at once
        yield served, broker, clients


def test_all_the_others_hear_it_exactly() -> None:
    said = bytes(range(256)) * 2
    with crowd(4) as (_, _, clients):
        for speaker in clients:
            speaker.sendall(said)
            for other in clients:
                if other is not speaker:
                    assert exactly(other, len(said)) == said
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b"", "nobody hears himself, and the end comes once he ends"


def test_nobody_is_there() -> None:
    with crowd(1) as (served, _, (alone,)):
        alone.sendall(b"hello?")
        alone.shutdown(socket.SHUT_WR)
        assert everything(alone) == b""
        closed = served.events.wait(Closed)
        assert (closed.received, closed.sent, closed.by) == (6, 0, "peer")


def test_a_file_goes_through_whole() -> None:
    data = os.urandom(1 << 20) * 8
    with crowd(2) as (served, _, (sender, receiver)):
        thread = threading.Thread(target=sender.sendall, args=(data,))
        thread.start()
        got = exactly(receiver, len(data))
        assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()
        thread.join(PATIENCE)
        sender.shutdown(socket.SHUT_WR)
        assert served.events.wait(Closed).received == len(data)


def test_both_ways_at_once() -> None:
    data = os.urandom(1 << 20) * 4
    with crowd(2) as (_, _, (one, two)):
        threads = [threading.Thread(target=each.sendall, args=(data,)) for each in (one, two)]
        got: dict[socket.socket, bytes] = {}
        threads += [
            threading.Thread(target=lambda each=each: got.update({each: exactly(each, len(data))}))
            for each in (one, two)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert got[one] == got[two] == data


def test_who_leaves_is_not_waited_for() -> None:
    with crowd(3) as (served, broker, (one, two, three)):
        two.close()
        served.events.wait(Closed)
        assert len(broker.room) == 2
        one.sendall(b"still here")
        assert three.recv(100) == b"still here"


def test_the_server_itself_may_speak() -> None:
    with crowd(2) as (_, broker, clients):
        broker.say(b"from the server")
        for client in clients:
            assert client.recv(100) == b"from the server"


def test_two_servers_do_not_hear_each_other() -> None:
    with serving("broker") as first, serving("broker") as second:
        with first.connect() as one, second.connect() as two, second.connect() as three:
            second.wait_open(2)
            one.sendall(b"x")
            one.shutdown(socket.SHUT_WR)
            assert everything(one) == b""
            two.shutdown(socket.SHUT_WR)
            assert everything(two) == b""
            three.close()
