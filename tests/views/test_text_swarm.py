"""The text of a swarm's result: nothing claimed that was not checked, nothing that a terminal would obey."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.swarm.options import SwarmOptions
from wirecat.swarm.result import Latency, SwarmResult, WrongReply
from wirecat.views.text_swarm import HOW_LATENCY_WAS_TAKEN, milliseconds, swarm_text


def result(expect: str | None = "echo", duration: float | None = None, **changes: object) -> SwarmResult:
    fields = {
        "address": Address.parse("127.0.0.1:12345"), "options": SwarmOptions(200, expect=expect, duration=duration),
        "started": 0.0, "loop": "asyncio", "connected": 200, "connect_seconds": 0.1, "seconds": 0.5,
        "messages_sent": 2000, "replies": 2000, "replies_wrong": None if expect is None else 0, "first_wrong": None,
        "errors": {}, "latency_us": Latency(432.1, 1234.5, 12_345.6, 123_456.7, 1_234_567.8), "left_open": 0,
        "interrupted": False,
    }  # fmt: skip
    return SwarmResult(**{**fields, **changes})


def test_all_well() -> None:
    assert swarm_text(result()) == (
        "127.0.0.1:12345: 200 clients at once, 10 messages each, every reply checked\n"
        "\n"
        "  connected   200 of 200 in 0.100 s\n"
        "  sent        2000 messages\n"
        "  replies     2000 right, 0 wrong\n"
        "  errors      none\n"
        "  time        0.500 s\n"
        "  rate        4000 requests/s\n"
        "  latency     p50 0.432 ms   p90 1.23 ms   p99 12.3 ms   p99.9 123 ms   max 1235 ms\n"
        f"              {HOW_LATENCY_WAS_TAKEN}\n"
    )


def test_how_the_latency_was_taken_is_one_line() -> None:
    assert "\n" not in HOW_LATENCY_WAS_TAKEN
    assert "closed loop" in HOW_LATENCY_WAS_TAKEN


def test_unchecked_is_said_and_nothing_is_called_right() -> None:
    text = swarm_text(result(expect=None))
    assert "unchecked" in text
    assert "right" not in text and "wrong" not in text


def test_failures() -> None:
    text = swarm_text(result(errors={"reset": 2, "refused": 30, "eproto": 1}))
    assert "  errors      33 clients failed\n" in text
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if "33 clients" in line)
    assert [line.split()[:2] for line in lines[at + 1 : at + 4]] == [["30", "refused"], ["2", "reset"], ["1", "eproto"]]
    assert "nothing listens there" in lines[at + 1]


def test_a_wrong_reply_is_shown_so_that_no_terminal_obeys_it() -> None:
    wrong = WrongReply(3, 7, 0, 0, b"hello\n", b"\x1b[2J\xff")
    text = swarm_text(result(replies_wrong=1, first_wrong=wrong))
    assert "1999 right, 1 wrong" in text
    assert "client 3, message 7, at byte 0" in text
    assert "got      '\\x1b[2J\\xff'" in text and "\x1b" not in text


def test_nobody_was_there() -> None:
    none = Latency(None, None, None, None, None)
    text = swarm_text(
        result(connected=0, messages_sent=0, replies=0, seconds=0.0, errors={"refused": 200}, latency_us=none)
    )
    assert "0 of 200" in text and "latency     none" in text and "0 requests/s" in text


def test_the_rest() -> None:
    text = swarm_text(result(duration=2.5, left_open=1, interrupted=True))
    assert "each talking for 2.5 s" in text
    assert "  left open   1 connection: the server" in text
    assert text.endswith("Ctrl-C ended it: these are the numbers up to then.\n")


@pytest.mark.parametrize(
    ("microseconds", "text"), [(0.5, "0.001 ms"), (999.4, "0.999 ms"), (99_900, "99.9 ms"), (5e6, "5000 ms")]
)
def test_milliseconds(microseconds: float, text: str) -> None:
    assert milliseconds(microseconds) == text
