"""Events as JSON: the fields that scripts rely on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wirecat.address import Address
from wirecat.events import Closed, Denied, Event, Failed, HalfClosed, Listening, Missed, Opened, Stopped, Stopping
from wirecat.views import text_addresses
from wirecat.views.json_server import address_object, event_line, iso_time

PEER = Address("tcp", "192.0.2.1", 4000)
SERVER = Address("tcp", "::1", 80)


def read(event: Event) -> dict[str, Any]:
    line = event_line(event)
    assert "\n" not in line and line.isascii()
    found: dict[str, Any] = json.loads(line)
    assert list(found)[:5] == ["v", "event", "time", "connection", "peer"]
    assert found["v"] == 1
    return found


def test_times() -> None:
    assert iso_time(0) == "1970-01-01T00:00:00.000000Z"
    assert iso_time(1_700_000_000.25) == "2023-11-14T22:13:20.250000Z"


def test_addresses() -> None:
    assert address_object(PEER) == {"host": "192.0.2.1", "port": 4000}
    assert address_object(SERVER) == {"host": "::1", "port": 80}
    assert address_object(Address("unix", path="/x")) == {"path": "/x"}


@pytest.mark.parametrize(
    ("event", "rest"),
    [
        (
            Opened(connection=3, peer=PEER, local=SERVER, open_count=2, time=0.0),
            {"local": {"host": "::1", "port": 80}, "open_count": 2},
        ),
        (HalfClosed(connection=3, peer=PEER, time=0.0), {}),
        (
            Closed(
                connection=3, peer=PEER, by="peer", reason="end", seconds=1.23456789, received=1, sent=2, open_count=0,
                time=0.0,
            ),
            {"by": "peer", "reason": "end", "seconds": 1.234568, "received": 1, "sent": 2, "open_count": 0},
        ),
        (
            Failed(connection=3, peer=PEER, error="ValueError: \x1b", traceback="a\nb", time=0.0),
            {"error": "ValueError: \x1b", "traceback": "a\nb"},
        ),
    ],
)  # fmt: skip
def test_events_of_one_client(event: Event, rest: dict[str, Any]) -> None:
    found = read(event)
    assert found.pop("connection") == 3
    assert found.pop("peer") == {"host": "192.0.2.1", "port": 4000}
    assert found == {"v": 1, "event": event.name, "time": "1970-01-01T00:00:00.000000Z", **rest}


@pytest.mark.parametrize(
    ("event", "rest"),
    [
        (Stopping(open_count=2, seconds=2.0), {"open_count": 2, "seconds": 2.0}),
        (Stopped(served=2, stuck=0), {"served": 2, "stuck": 0}),
        (Missed(count=5), {"count": 5}),
        (Failed(connection=None, peer=None, error="x", traceback=""), {"error": "x", "traceback": ""}),
    ],
)
def test_events_of_no_single_client(event: Event, rest: dict[str, Any]) -> None:
    found = read(event)
    assert found["connection"] is None and found["peer"] is None
    assert {name: found[name] for name in rest} == rest


def test_who_was_denied_has_no_number() -> None:
    found = read(Denied(peer=PEER, reason="not allowed"))
    assert (found["connection"], found["peer"]["port"], found["reason"]) == (None, 4000, "not allowed")


def test_listening_says_what_to_hand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_addresses, "addresses_to_hand_out", lambda: ["192.168.1.7", "2001:db8::7"])

    def found(*hosts: str) -> tuple[Any, Any]:
        addresses = tuple(Address("tcp", host, 80) for host in hosts)
        event = read(Listening(addresses=addresses, limit=10, limit_reason="asked for"))
        assert (event["limit"], event["limit_reason"]) == (10, "asked for")
        assert event["addresses"] == [{"host": host, "port": 80} for host in hosts]
        return [each["host"] for each in event["hand_out"]], {each["port"] for each in event["hand_out"]}

    assert found("127.0.0.1", "::1") == ([], set())
    assert found("0.0.0.0", "::") == (["192.168.1.7", "2001:db8::7"], {80})
    assert found("0.0.0.0") == (["192.168.1.7"], {80})
    assert found("192.168.1.9") == (["192.168.1.9"], {80})


def test_a_path_with_anything_in_it() -> None:
    found = read(Opened(connection=1, peer=Address("unix", path="/\x1b\udcff"), local=SERVER, open_count=1))
    assert found["peer"] == {"path": "/\x1b\\xff"}
