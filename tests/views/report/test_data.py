"""The report as JSON: times, addresses and figures in the forms that all verbs have."""

from __future__ import annotations

import json

import pytest

from views.report.stories import START, crowd, nothing, one_talk
from wirecat.views.report.collect import Collector
from wirecat.views.report.data import report_json
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_all_of_it() -> None:
    found = json.loads(report_json(one_talk(author="Anna"), WORDS))
    assert found["v"] == 1
    assert found["author"] == "Anna"
    assert found["started"] == "2026-11-22T21:30:05.123456Z"
    assert found["connections"] == [
        {
            "number": 1, "protocol": "tcp", "client": {"host": "127.0.0.1", "port": 58800},
            "server": {"host": "127.0.0.1", "port": 12345}, "opened": "2026-11-22T21:30:05.123456Z",
            "closed": "2026-11-22T21:30:05.323959Z", "end": "end", "closed_by": "client", "to_server": 9,
            "to_client": 35, "pieces_count": 4, "missing": 0, "note": None,
        },
    ]  # fmt: skip
    assert found["latency_us"] == {"count": 2, "p50": 250.0, "p90": 250.0, "p99": 250.0, "p999": 250.0, "max": 250.0}
    assert sum(found["bytes"]["to_server"]) == 9
    assert found["sockets"]["rows"][0]["remote"] is None


@pytest.mark.parametrize(
    ("picture", "key"),
    [("terminal", "connections"), ("sequence", "connections"), ("timeline", "connections"), ("bytes", "bytes"),
     ("latency", "latency_us"), ("sockets", "sockets")],
)  # fmt: skip
def test_one_picture(picture: str, key: str) -> None:
    assert set(json.loads(report_json(crowd(3), WORDS, picture))) == {"v", key}


def test_pieces_have_their_bytes() -> None:
    found = json.loads(report_json(one_talk([b"\xff<"]), WORDS, "sequence"))
    piece = found["connections"][0]["pieces"][0]
    assert (piece["hex"], piece["text"], piece["direction"]) == ("ff3c", "\\xff<", "to_server")


def test_what_passed_besides_bytes_is_there() -> None:
    signs = json.loads(report_json(one_talk(), WORDS, "sequence"))["connections"][0]["signs"]
    assert [(sign["sign"], sign["direction"]) for sign in signs] == [
        ("SYN", "to_server"), ("SYN+ACK", "to_client"), ("ACK", "to_server"),
        ("FIN", "to_server"), ("ACK", "to_client"), ("FIN", "to_client"), ("ACK", "to_server"),
    ]  # fmt: skip
    broken = json.loads(report_json(crowd(1, broken_every=1), WORDS, "sequence"))["connections"][0]["signs"]
    assert [(sign["sign"], sign["direction"]) for sign in broken] == [("RST", "to_server")]


def test_what_is_not_known_is_null() -> None:
    found = json.loads(report_json(nothing(), WORDS))
    assert found["latency_us"] is None
    assert found["sockets"] is None


def test_an_address_that_is_none_is_a_path() -> None:
    collector = Collector()
    collector.open("no address at all", "unix:///run/x", START)
    (talk,) = json.loads(report_json(collector.story(), WORDS))["connections"]
    assert talk["client"] == {"path": "no address at all"}
    assert talk["server"] == {"path": "/run/x"}
