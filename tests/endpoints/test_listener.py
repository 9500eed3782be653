"""Listeners: several sockets accepted from as one, and clients that are gone before they were let in."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from background import Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import reset
from wirecat.endpoints.binding import bind_all
from wirecat.endpoints.listener import Listener


def listening(host: str = "127.0.0.1") -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.bind((host, 0))
    made.listen()
    made.setblocking(False)
    return made


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener([listening(), listening("::1")]) as made:
        yield made


@pytest.mark.parametrize("which", [0, 1])
def test_all_sockets_are_listened_to(listener: Listener, which: int) -> None:
    place = listener.sockets[which].getsockname()
    with Background(lambda: listener.accept(10)) as accepting, socket.create_connection(place[:2]) as client:
        stream = accepting.result()
        assert stream.peer.port == client.getsockname()[1]
        assert stream.local == listener.addresses[which]
        stream.close()


def test_several_threads_may_wait(listener: Listener) -> None:
    place = listener.sockets[0].getsockname()
    with Background(lambda: listener.accept(10)) as one, Background(lambda: listener.accept(10)) as other:
        assert stays(lambda: one.running and other.running)
        with socket.create_connection(place), socket.create_connection(place):
            one.result().close()
            other.result().close()


def test_close_wakes_all_that_wait_and_may_come_twice(listener: Listener) -> None:
    with Background(lambda: listener.accept(None)) as one, Background(lambda: listener.accept(None)) as other:
        assert stays(lambda: one.running and other.running)
        listener.close()
        for each in (one, other):
            with pytest.raises(OSError, match="closed"):
                each.result()
    listener.close()
    with pytest.raises(OSError, match="closed"):
        listener.accept(None)


def test_any_length_of_time_can_be_waited(listener: Listener) -> None:
    with Background(lambda: listener.accept(1e12)) as accepting:
        assert stays(lambda: accepting.running)
        with socket.create_connection(listener.sockets[0].getsockname()):
            accepting.result().close()


def test_a_client_that_reset_while_it_was_queued_is_let_in_or_passed_over(listener: Listener) -> None:
    place = listener.sockets[0].getsockname()
    reset(socket.create_connection(place))
    with socket.create_connection(place) as client:
        ports = set()
        while client.getsockname()[1] not in ports:
            stream = listener.accept(10)  # Linux gives the dead one as well
            ports.add(stream.peer.port)
            stream.close()


def test_sockets_are_those_of_the_module_socket_and_do_not_block() -> None:
    bound = bind_all([(socket.AF_INET, "127.0.0.1", 0)], 0, True, backlog=1)
    with Listener(bound) as listener:
        (made,) = listener.sockets
        assert isinstance(made, socket.socket)
        assert made.gettimeout() == 0
        assert made.getsockname()[1] == listener.addresses[0].port
        assert listener.sockets[0] is made


def test_closed_before_it_was_used_it_has_no_sockets() -> None:
    bound = bind_all([(socket.AF_INET, "127.0.0.1", 0)], 0, True, backlog=1)
    listener = Listener(bound)
    listener.close()
    assert listener.sockets == []
    assert bound[0].fileno() == -1
