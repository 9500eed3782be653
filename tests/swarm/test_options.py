"""SwarmOptions: what cannot be is refused before any socket opens."""

from __future__ import annotations

import pytest

from wirecat.errors import UsageError
from wirecat.swarm.options import SwarmOptions


def test_defaults() -> None:
    options = SwarmOptions(5)
    assert (options.clients, options.messages, options.duration) == (5, 10, None)
    assert options.expect is None


def test_a_duration_takes_the_place_of_the_messages() -> None:
    options = SwarmOptions(5, duration=2)
    assert (options.messages, options.duration) == (None, 2)
    assert options.replace(clients=6).messages is None


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [({}, "closed loop"), ({"think": 1}, "closed loop"), ({"rate": 1}, "open loop"),
     ({"connects": True}, "connects"), ({"connects": True, "rate": 1}, "connects")],
)  # fmt: skip
def test_modes(arguments: dict, mode: str) -> None:
    options = SwarmOptions(5, **arguments)
    assert options.mode == mode
    assert SwarmOptions(**options.fields()) == options


def test_newlines() -> None:
    assert SwarmOptions(1).newline == "lf"
    assert SwarmOptions(1, payload=b"x").newline == "none"
    assert SwarmOptions(1, payload=b"x", newline="lf").newline == "lf"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"clients": 0}, "clients"),
        ({"clients": -1}, "clients"),
        ({"clients": 1.5}, "clients"),
        ({"clients": None}, "clients"),
        ({"messages": 0}, "messages"),
        ({"messages": 2.5}, "messages"),
        ({"duration": 0}, "duration"),
        ({"duration": float("nan")}, "duration"),
        ({"duration": 1, "messages": 1}, "exclude"),
        ({"newline": "cr"}, "lf, crlf, none"),
        ({"message": "", "newline": "none"}, "empty message"),
        ({"expect": ""}, "expect"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"reply_timeout": -1}, "reply_timeout"),
        ({"reply_timeout": float("inf")}, "reply_timeout"),
        ({"connect_rate": 0}, "connect_rate"),
        ({"rate": 0}, "rate"),
        ({"rate": 5, "think": 1}, "exclude"),
        ({"think": -1}, "think"),
        ({"size": 0}, "size"),
        ({"size": 1, "newline": "crlf"}, "no room"),
        ({"size": 5, "message": "x"}, "exclude"),
        ({"payload": b"", "message": "x"}, "exclude"),
        ({"payload": b""}, "empty message"),
        ({"payload": "text"}, "takes bytes"),
        ({"workers": 0}, "workers"),
        ({"workers": 2}, "2 workers are too many"),
        ({"connects": True, "expect": "echo"}, "connects and expect"),
    ],
)
def test_what_cannot_be(arguments: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        SwarmOptions(**{"clients": 1, **arguments})
    assert raised.value.exit_code == 2
