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
