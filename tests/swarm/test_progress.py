"""SwarmProgress: a plain value."""

from __future__ import annotations

from wirecat.swarm.progress import PHASES, SwarmProgress


def test_it_is_a_value() -> None:
    fields = {"phase": PHASES[0], "clients": 3, "connected": 2, "failed": 0, "sent": 0, "replies": 0, "wrong": 0}
    first = SwarmProgress(**fields, seconds=0.5, rate=0.0)
    assert first == SwarmProgress(**fields, seconds=0.5, rate=0.0)
    assert first.replace(phase="talking") != first
