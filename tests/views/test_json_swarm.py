"""The JSON of a swarm's result: the names that scripts rely on."""

from __future__ import annotations

import json

from wirecat.address import Address
from wirecat.swarm.options import SwarmOptions
from wirecat.swarm.result import Latency, SwarmResult, WrongReply
from wirecat.views.json_swarm import swarm_json


def document(expect: str | None = "echo", asked: dict | None = None, **changes: object) -> dict:
    options = SwarmOptions(2, expect=expect, **(asked or {}))
    fields = {
        "address": Address.parse("127.0.0.1:12345"), "options": options, "started": 1.5,
        "loop": "asyncio", "connected": 2, "connect_seconds": 0.1, "seconds": 0.5, "messages_sent": 20, "replies": 20,
        "replies_wrong": None if expect is None else 0, "first_wrong": None, "errors": {},
        "latency_us": Latency(432.123, 1234.5, 2000.0, 3000.0, 4000.0), "left_open": 0, "interrupted": False,
    }  # fmt: skip
    text = swarm_json(SwarmResult(**{**fields, **changes}))
    assert text.endswith("\n") and text.isascii()
    return json.loads(text)


def test_what_scripts_rely_on() -> None:
    found = document()
    expected = {
        "v": 1, "clients": 2, "connected": 2, "messages_sent": 20, "checked": True, "replies": 20, "replies_ok": 20,
        "replies_wrong": 0, "errors": {}, "seconds": 0.5, "requests_per_second": 40.0, "ok": True,
        "latency_us": {"p50": 432.1, "p90": 1234.5, "p99": 2000.0, "p999": 3000.0, "max": 4000.0},
        "address": {"host": "127.0.0.1", "port": 12345}, "started": "1970-01-01T00:00:01.500000Z",
        "interrupted": False, "first_wrong": None, "messages": 10, "duration": None, "left_open": 0,
        "mode": "closed loop", "rate": None, "think": 0.0, "workers": 1, "size": None, "payload_bytes": None,
        "due": None, "late": None, "unsent": None, "connects": None, "connects_per_second": None, "lost": [],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert "closed loop" in found["latency_taken"]


def test_unchecked_replies_are_neither_right_nor_wrong() -> None:
    found = document(expect=None)
    assert (found["checked"], found["replies"]) == (False, 20)
    assert (found["replies_ok"], found["replies_wrong"]) == (None, None)


def test_other_modes() -> None:
    found = document(asked={"rate": 10, "size": 64}, due=20, late=3, unsent=1)
    assert [found[name] for name in ("mode", "rate", "size", "message")] == ["open loop", 10, 64, None]
    assert [found[name] for name in ("due", "late", "unsent", "ok")] == [20, 3, 1, False]
    assert "open loop" in found["latency_taken"]
    found = document(asked={"payload": b"abc", "workers": 2}, lost=("one",), processor_share=0.12345)
    assert [found[name] for name in ("payload_bytes", "workers", "lost", "ok")] == [3, 2, ["one"], False]
    assert found["processor_share"] == 0.123
    found = document(expect=None, asked={"connects": True}, connects=20, replies=0)
    assert [found[name] for name in ("mode", "connects", "connects_per_second")] == ["connects", 20, 40.0]


def test_nothing_to_time() -> None:
    found = document(replies=0, errors={"refused": 2}, latency_us=Latency(None, None, None, None, None))
    assert found["latency_us"] == dict.fromkeys(("p50", "p90", "p99", "p999", "max"))
    assert found["errors"] == {"refused": 2} and found["ok"] is False


def test_a_wrong_reply() -> None:
    found = document(replies_wrong=1, first_wrong=WrongReply(1, 2, 0, 0, "ä".encode(), b"\xff"))
    assert found["first_wrong"] == {
        "client": 1, "message": 2, "offset": 0, "shown_from": 0, "expected": "ä", "got": "\\xff",
    }  # fmt: skip
