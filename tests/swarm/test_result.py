"""The result: what follows from the counts, and what must not be claimed."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.swarm.histogram import Histogram
from wirecat.swarm.options import SwarmOptions
from wirecat.swarm.result import Latency, SwarmResult, WrongReply

NONE = Latency(None, None, None, None, None)


def result(expect: str | None = "echo", **changes: object) -> SwarmResult:
    fields = {
        "address": Address.parse("127.0.0.1:12345"), "options": SwarmOptions(2, expect=expect), "started": 0.0,
        "loop": "asyncio", "connected": 2, "connect_seconds": 0.1, "seconds": 2.0, "messages_sent": 20, "replies": 20,
        "replies_wrong": None if expect is None else 0, "first_wrong": None, "errors": {}, "latency_us": NONE,
        "left_open": 0, "interrupted": False,
    }  # fmt: skip
    return SwarmResult(**{**fields, **changes})


def test_all_well() -> None:
    good = result()
    assert good.ok and good.checked
    assert (good.clients, good.replies_ok, good.requests_per_second, good.failed) == (2, 20, 10.0, 0)


def test_unchecked_replies_are_neither_right_nor_wrong() -> None:
    unchecked = result(expect=None)
    assert unchecked.ok and not unchecked.checked
    assert (unchecked.replies, unchecked.replies_ok, unchecked.replies_wrong) == (20, None, None)


@pytest.mark.parametrize(
    "changes",
    [{"replies_wrong": 1}, {"errors": {"reset": 1}}, {"interrupted": True}],
    ids=lambda each: next(iter(each)),
)
def test_what_is_not_well(changes: dict) -> None:
    assert not result(**changes).ok


def test_nothing_came_of_it() -> None:
    nothing = result(replies=0, seconds=0.0, connected=0, messages_sent=0, errors={"refused": 2})
    assert (nothing.requests_per_second, nothing.failed, nothing.replies_ok) == (0.0, 2, 0)


def test_latency_is_in_microseconds() -> None:
    histogram = Histogram()
    for _ in range(1000):
        histogram.record(2_000_000)
    histogram.record(7_654_321)
    latency = Latency.of(histogram)
    assert latency.max == 7654.321
    assert latency.p50 == pytest.approx(2000, rel=0.004)
    assert Latency.of(Histogram()) == NONE


@pytest.mark.parametrize(
    ("expected", "got", "offset"),
    [(b"abc", b"abd", 2), (b"abc", b"abcd", 3), (b"abc", b"x", 0), (b"x" * 100 + b"a", b"x" * 100 + b"b", 100)],
)
def test_the_difference(expected: bytes, got: bytes, offset: int) -> None:
    wrong = WrongReply.between(1, 2, expected, got)
    assert wrong.offset == offset
    assert len(wrong.expected) <= 80 and len(wrong.got) <= 80
    at = wrong.offset - wrong.shown_from
    assert wrong.expected[:at] == wrong.got[:at]
    assert wrong.expected[at : at + 1] != wrong.got[at : at + 1]
