"""A swarm that a tap looks at: it sees what every client says and hears, and how each connection ends."""

from __future__ import annotations

from typing import Any

import pytest

import wirecat
from wirecat.taps.named import NamedTap
from wirecat.taps.tap import RECEIVED, SENT, Tap


class Watching(Tap):
    """Remembers all that it is told, by the number of the client."""

    def __init__(self) -> None:
        self.seen: dict[int, list[tuple[str, bytes]]] = {}
        self.peers: dict[int, wirecat.Address] = {}
        self.ends: dict[int, list[str]] = {}
        self.closed_ones: set[int] = set()

    def opened(self, connection: Any) -> None:
        self.peers[connection.id] = connection.peer
        assert connection.local.port != connection.peer.port

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.seen.setdefault(connection, []).append((direction, data))
        return None

    def finish(self, connection: int, direction: str) -> bytes:
        self.ends.setdefault(connection, []).append(direction)
        return b""

    def closed(self, connection: Any, by: str, reason: str) -> None:
        self.closed_ones.add(connection.id)


@pytest.mark.parametrize("options", [{}, {"think": 0.01}, {"rate": 500.0}])
def test_all_is_seen(options: dict[str, Any]) -> None:
    tap = Watching()
    with wirecat.serve("echo", "127.0.0.1:0") as server:
        result = wirecat.swarm(server.address, 5, messages=4, expect="echo", tap=tap, **options)
        assert result.ok
        assert set(tap.peers.values()) == {server.address}
    assert set(tap.seen) == tap.closed_ones == {1, 2, 3, 4, 5}
    for number, seen in tap.seen.items():
        said = b"".join(data for direction, data in seen if direction == SENT)
        assert b"".join(data for direction, data in seen if direction == RECEIVED) == said
        assert said.count(b"\n") == 4
        assert tap.ends[number] == [SENT, RECEIVED]


def test_what_it_is_not_for() -> None:
    for options, tap in (({"workers": 2}, Tap()), ({"connects": True}, Tap()), ({}, NamedTap("a:b"))):
        with pytest.raises(wirecat.UsageError, match="a tap is not for"):
            wirecat.swarm(9, 2, tap=tap, **options)  # type: ignore[arg-type]
