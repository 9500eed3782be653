"""The text of a swarm's result: nothing claimed that was not checked, nothing that a terminal would obey."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.swarm.options import SwarmOptions
from wirecat.swarm.result import Latency, SwarmResult, WrongReply
from wirecat.views.text_swarm import how_latency_was_taken, milliseconds, swarm_text


def result(
    expect: str | None = "echo", duration: float | None = None, asked: dict | None = None, **changes: object
) -> SwarmResult:
    options = SwarmOptions(200, expect=expect, duration=duration, **(asked or {}))
    fields = {
        "address": Address.parse("127.0.0.1:12345"), "options": options,
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
        f"              {how_latency_was_taken(SwarmOptions(1))}\n"
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "closed loop, from ready to send"),
        ({"think": 0.5}, "closed loop with pauses of 0.5 s"),
        ({"rate": 10}, "open loop, from when each request should have left"),
        ({"connects": True}, "from setting out to connect until it stood"),
        ({"connects": True, "rate": 10}, "from when each connect should have begun"),
    ],
)
def test_how_the_latency_was_taken_is_one_line_that_fits_the_mode(asked: dict, said: str) -> None:
    line = how_latency_was_taken(SwarmOptions(1, **asked))
    assert line.startswith(said) and "\n" not in line and line.isascii()


def test_an_open_loop() -> None:
    text = swarm_text(result(asked={"rate": 2.5}, due=2000, late=12, unsent=0))
    assert "10 messages each, 2.5 a second in all, every reply checked\n" in text
    assert "  in time     1988 of 2000; 12 left more than 1 ms late\n" in text
    assert "  in time     all 2000\n" in swarm_text(result(asked={"rate": 2.5}, due=2000, late=0, unsent=0))
    assert "; 0 left more than 1 ms late, 5 never left\n" in swarm_text(
        result(asked={"rate": 1}, due=9, late=0, unsent=5)
    )


def test_connects() -> None:
    text = swarm_text(
        result(expect=None, asked={"connects": True}, connects=1999, errors={"refused": 1}, messages_sent=0, replies=0)
    )
    assert "10 connects each\n" in text
    assert "  connects    1999 made\n" in text and "  rate        3998 connects/s\n" in text
    assert "1 connect failed" in text
    assert "replies" not in text and "sent" not in text


def test_payloads_and_processes() -> None:
    assert "200 clients in 3 processes at once, 10 messages each of 1.5 kB" in swarm_text(
        result(asked={"payload": b"x" * 1500, "workers": 3})
    )
    assert "10 messages each of 64 B" in swarm_text(result(asked={"size": 64}))


def test_a_swarm_that_is_busy_says_so() -> None:
    assert "limit" not in swarm_text(result(processor_share=0.5))
    assert "used 97% of a processor: with --workers" in swarm_text(result(processor_share=0.97))
    assert "may be the limit itself" in swarm_text(result(processor_share=0.97, asked={"workers": 2}))


def test_a_worker_that_died() -> None:
    text = swarm_text(result(errors={"worker_died": 100}, lost=("the process of clients 1 to 100 was killed",)))
    assert "  lost        the process of clients 1 to 100 was killed; what they did is in no number\n" in text


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
