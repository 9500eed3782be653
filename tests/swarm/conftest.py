"""Both event loops for the tests that drive clients: Python's own, and the fast one where it is installed."""

from __future__ import annotations

import pytest

from wirecat.swarm import interrupts
from wirecat.system.loops import loop_factory


@pytest.fixture(params=["asyncio", "fast"])
def loop_name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the loop that a swarm is driven by in this test."""
    if request.param == "asyncio":
        monkeypatch.setattr(interrupts, "loop_factory", lambda: None)
        return "asyncio"
    factory = loop_factory()
    if factory is None:
        pytest.skip("no fast event loop is installed (the extra [fast])")
    return factory.__module__.partition(".")[0]
