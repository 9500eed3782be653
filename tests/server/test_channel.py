"""The channel: whole messages either way, the end of the other side, and what is no message."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from server.clients import PATIENCE
from wirecat.server.channel import Channel


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    one, other = map(Channel, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def take(channel: Channel, count: int) -> list[dict[str, Any]]:
    """So many messages."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        come = channel.receive(PATIENCE)
        assert come is not None
        found += come
    return found


def test_messages_either_way(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    assert one.send("ask", n=1) and one.send("ready") and other.send("admit", n=1, id=7)
    assert take(other, 2) == [{"type": "ask", "n": 1}, {"type": "ready"}]
    assert take(one, 1) == [{"type": "admit", "n": 1, "id": 7}]


def test_nothing_within_its_time(pair: tuple[Channel, Channel]) -> None:
    assert list(pair[0].receive(0.01) or "end") == []


def test_the_end_of_the_other_side(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    other.send("ended", stuck=0)
    other.end()
    other.end()
    assert take(one, 1) == [{"type": "ended", "stuck": 0}]
    assert one.receive() is None
    assert not one.send("stop")


def test_an_end_wakes_who_receives(pair: tuple[Channel, Channel]) -> None:
    found: list[object] = ["nothing yet"]
    waiting = threading.Thread(target=lambda: found.append(pair[0].receive()))
    waiting.start()
    pair[0].end()
    waiting.join(PATIENCE)
    assert found[-1] is None


def test_what_is_no_message() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        ours.sendall(b'{"type":"ready"}\nnonsense\n')
        channel = Channel(theirs)
        come = channel.receive()
        assert come is not None and next(come) == {"type": "ready"}
        with pytest.raises(ValueError, match="no message"):
            next(come)
        channel.close()


def test_threads_do_not_mix_their_messages(pair: tuple[Channel, Channel]) -> None:
    one, other = pair
    texts = [letter * 50_000 for letter in "abcd"]
    threads = [
        threading.Thread(target=lambda text=text: [one.send("event", text=text) for _ in range(10)]) for text in texts
    ]
    for thread in threads:
        thread.start()
    found = [message["text"] for message in take(other, 40)]
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(found) == sorted(texts * 10)
