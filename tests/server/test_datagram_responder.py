"""Responders over datagrams: one datagram is one piece, and has at most one answer."""

from __future__ import annotations

import pytest

from leaks import nothing_left_behind  # noqa: F401
from server.clients import eventually, serving
from server.datagrams import ADDRESS, ask, peer_of, silent
from wirecat import Responder
from wirecat.events import Closed, Withheld
from wirecat.server import datagram_engine


def test_one_answer_to_one_datagram() -> None:
    with serving("reply:a{data}", ADDRESS) as served, peer_of(served) as client:
        for number in range(50):
            client.send(b"%d" % number)
        assert [client.recv(100) for _ in range(50)] == [b"a%d" % number for number in range(50)]
        assert silent(client)


def test_discard_answers_nothing() -> None:
    with serving("discard", ADDRESS) as served, peer_of(served) as client:
        client.send(b"x")
        served.wait_open()
        assert silent(client)


def test_daytime_answers_each_datagram_whatever_it_says() -> None:
    with serving("daytime", ADDRESS) as served, peer_of(served) as client:
        for data in (b"", b"what time is it?", b"x" * 1000):
            assert ask(client, data).endswith(b"\r\n")
        assert silent(client)


def test_daytime_forgets_who_asks_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagram_engine, "SPENT", 0.1)
    with serving("daytime", ADDRESS) as served, peer_of(served) as client:
        assert ask(client, b"")
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason, closed.sent) == ("server", "end", 27)
        assert ask(client, b"")


class Greeting(Responder):
    def opened(self) -> bytes | None:
        return b"welcome, "

    def receive(self, data: bytes) -> bytes | None:
        return data


def test_a_greeting_goes_with_the_first_answer() -> None:
    with serving(Greeting, ADDRESS) as served, peer_of(served) as client:
        assert ask(client, b"one") == b"welcome, one"
        assert ask(client, b"two") == b"two"


def test_answers_to_others_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others than this PC: here they are played by this PC, which is told from them by its address."""
    from wirecat.address import Address

    monkeypatch.setattr(Address, "this_pc_only", False)
    with serving("echo", ADDRESS, udp_replies=5) as served, peer_of(served) as client:
        for _ in range(50):
            client.send(b"x")
        served.wait_open()
        eventually(lambda: served.server.connections[0].received == 50, "all have been read")
        withheld = served.events.wait(Withheld)
        assert (withheld.peer.host, withheld.limit, withheld.size) == ("127.0.0.1", 5, withheld.count)
        assert served.server.connections[0].sent <= 10


def test_an_endless_answer_is_refused() -> None:
    class Endless(Responder):
        streams = True

        def more(self) -> bytes | None:
            return b"x"

    with serving(Endless, ADDRESS) as served, peer_of(served) as client:
        client.send(b"x")
        assert served.events.wait(Closed).reason == "handler error"
        assert "without end" in served.failures[0].error
