"""What a relay's log says, by how much was asked for."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.events import Listening, Opened, Stopped
from wirecat.relay.relay import Joined, Moving
from wirecat.views.text_relay import RelayLog

HERE, THERE = Address("tcp", "127.0.0.1", 12345), Address("tcp", "127.0.0.1", 80)
JOINED = Joined(connection=3, peer=HERE, target=THERE, local=HERE)
TO = Moving(connection=3, peer=HERE, direction="forward", how="zero-copy")
FROM = Moving(connection=3, peer=HERE, direction="backward", how="copy: TLS")
LISTENING = Listening(addresses=(HERE,), limit=5, limit_reason="asked for")


def texts(log: RelayLog, *events: object) -> list[str]:
    return [line.partition(" ")[2] for event in events for line in log.lines(event)]  # type: ignore[arg-type]


def test_verbose_tells_of_the_target_and_of_how_the_bytes_move() -> None:
    assert texts(RelayLog(verbose=True), JOINED, TO, FROM) == [
        "#3 joined to 127.0.0.1:80, from 127.0.0.1:12345",
        "#3 to the target: zero-copy",
        "#3 from the target: copy: TLS",
    ]
    assert texts(RelayLog(), JOINED, TO, FROM) == []


def test_one_connection_needs_fewer_words() -> None:
    once, many = RelayLog(once=True), RelayLog()
    stopped = Stopped(served=1, stuck=0)
    assert texts(once, LISTENING, stopped) == ["listening on 127.0.0.1:12345 (this PC only; --lan opens it to others)"]
    assert len(texts(many, LISTENING, stopped)) == 3
    opened = Opened(connection=1, peer=HERE, local=HERE, open_count=1)
    assert texts(once, opened) == texts(many, opened) == ["#1 127.0.0.1:12345 connected (1 open)"]
