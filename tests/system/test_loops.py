"""Which event loop there is: the fast one where it is installed, else none of its own, and no policy is touched."""

from __future__ import annotations

import asyncio
import sys

import pytest

from wirecat.system.loops import loop_factory


def test_the_fast_one_where_it_is_installed() -> None:
    name = "winloop" if sys.platform == "win32" else "uvloop"
    pytest.importorskip(name)
    policy = asyncio.get_event_loop_policy()
    factory = loop_factory()
    assert factory is not None
    with asyncio.Runner(loop_factory=factory) as runner:
        assert type(runner.get_loop()).__module__.startswith(name)
    assert asyncio.get_event_loop_policy() is policy


def test_none_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    monkeypatch.setitem(sys.modules, "winloop", None)
    assert loop_factory() is None
