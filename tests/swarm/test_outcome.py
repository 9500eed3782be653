"""Outcomes: added up they are what one process would have counted, and JSON carries them whole."""

from __future__ import annotations

import json

from wirecat.address import Address
from wirecat.swarm.options import SwarmOptions
from wirecat.swarm.outcome import Outcome
from wirecat.swarm.result import WrongReply
from wirecat.swarm.tally import Tally


def outcome(scale: int = 1) -> Outcome:
    tally = Tally()
    tally.connected, tally.wrong, tally.spoilt, tally.late, tally.due, tally.unsent = (scale * n for n in range(6))
    for value in (1_000, 2_000_000, 3_000_000_000):
        tally.latency.record(value * scale)
        tally.waits.record(value * scale + 7)
    tally.fail("reset", scale)
    tally.first_wrong = WrongReply(1, 2, 0, 0, b"\xff\x00", b"a")
    made = Outcome(tally)
    made.started, made.loop, made.connect_seconds, made.seconds = 5.0 + scale, "asyncio", 0.5 * scale, 2.0 * scale
    made.sent, made.left_open, made.processor_share = 7 * scale, scale, 0.1 * scale
    return made


def test_json_carries_all_of_it() -> None:
    plain = outcome().as_json()
    again = Outcome.from_json(json.loads(json.dumps(plain)))
    assert again.as_json() == plain
    assert again.tally.first_wrong == outcome().tally.first_wrong


def test_adding_up() -> None:
    total = Outcome(Tally())
    total.add(outcome())
    total.add(outcome(2))
    assert (total.tally.wrong, total.tally.due, total.tally.errors) == (3, 12, {"reset": 3})
    assert (total.sent, total.left_open, total.seconds, total.connect_seconds) == (21, 3, 4.0, 1.0)
    assert (total.started, total.loop, total.processor_share) == (6.0, "asyncio", 0.2)
    assert (total.tally.latency.count, total.tally.latency.maximum) == (6, 6_000_000_000)


def test_the_result() -> None:
    made = outcome().result(Address.parse(12345), SwarmOptions(5, rate=10), ("the process of client 1 …",))
    assert made.latency_us.max == 3_000_000_007 / 1000
    assert (made.due, made.late, made.unsent, made.connects) == (4, 3, 5, None)
    assert made.lost and not made.ok
    closed = outcome().result(Address.parse(12345), SwarmOptions(5))
    assert (closed.due, closed.late, closed.unsent) == (None, None, None)
