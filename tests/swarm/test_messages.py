"""Messages and expected replies: bytes for bytes, numbers in their places, everything else literal."""

from __future__ import annotations

import pytest

from wirecat.swarm.messages import message_maker, reply_maker
from wirecat.swarm.options import SwarmOptions


@pytest.mark.parametrize(
    ("message", "newline", "first", "second"),
    [
        ("client {client} says {n}", "lf", b"client 7 says 1\n", b"client 7 says 2\n"),
        ("always the same", "crlf", b"always the same\r\n", b"always the same\r\n"),
        ("{n}{n} of {client}, {n}", "none", b"11 of 7, 1", b"22 of 7, 2"),
        ("100 % {x} {} {n}%d", "lf", b"100 % {x} {} 1%d\n", b"100 % {x} {} 2%d\n"),
        ("Grüße {n}", "none", "Grüße 1".encode(), "Grüße 2".encode()),
        ("\udcff{n}", "none", b"\xff1", b"\xff2"),
        ("", "lf", b"\n", b"\n"),
    ],
)
def test_messages(message: str, newline: str, first: bytes, second: bytes) -> None:
    message_of = message_maker(SwarmOptions(9, message=message, newline=newline), 7)
    assert (message_of(1), message_of(2)) == (first, second)


@pytest.mark.parametrize("newline", ["lf", "crlf", "none"])
@pytest.mark.parametrize("size", [2, 3, 7, 25, 26, 40, 64, 1000, 100_000])
def test_messages_of_a_size(size: int, newline: str) -> None:
    message_of = message_maker(SwarmOptions(9, size=size, newline=newline), 7)
    messages = [message_of(number) for number in (1, 2, 10, 123_456)]
    ending = {"lf": b"\n", "crlf": b"\r\n", "none": b""}[newline]
    assert {len(message) for message in messages} == {size}
    assert all(message.endswith(ending) for message in messages)
    if size > 2:
        assert messages[0] != messages[1]
    if size > 30:
        assert messages[0].startswith(b"client 7 says 1 ")


def test_a_piece_out_of_its_place_shows() -> None:
    message = message_maker(SwarmOptions(1, size=50_000), 1)(1)
    for piece in (512, 1024, 1448, 4096, 16384):
        swapped = message[piece : 2 * piece] + message[:piece] + message[2 * piece :]
        doubled = message[:piece] + message[: len(message) - piece]
        assert message not in (swapped, doubled)
        assert message[1000 : 1000 + piece] != message[1000 + piece : 1000 + 2 * piece]


def test_a_payload_is_sent_as_it_stands() -> None:
    data = b"100% {client} {n} %d\0\xff"
    assert message_maker(SwarmOptions(1, payload=data), 1)(5) == data
    assert message_maker(SwarmOptions(1, payload=data, newline="crlf"), 1)(5) == data + b"\r\n"


def test_the_default_message_stays_below_30_bytes() -> None:
    assert len(message_maker(SwarmOptions(1), 99_999)(99_999)) < 30


@pytest.mark.parametrize(
    ("expect", "reply"),
    [
        ("echo", b"hi {data}\n"),
        ("You told me: {data}", b"You told me: hi {data}\n"),
        ("{data}{data}", b"hi {data}\nhi {data}\n"),
        ("pong", b"pong"),
    ],
)
def test_replies(expect: str, reply: bytes) -> None:
    reply_to = reply_maker(SwarmOptions(1, expect=expect))
    assert reply_to is not None
    assert reply_to(b"hi {data}\n") == reply


def test_without_anything_to_expect_there_is_no_right_reply() -> None:
    assert reply_maker(SwarmOptions(1)) is None
