"""Tests on an event loop: each runs on plain asyncio and on uvloop, and is skipped by name where uvloop is missing.

@on_each_loop
async def test_something() -> None: ...
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

KINDS = ("asyncio", "uvloop")
HAS_UVLOOP = importlib.util.find_spec("uvloop") is not None

if HAS_UVLOOP:
    # The first loop opens descriptors that stay for the life of the process, which is no leak of a test.
    importlib.import_module("uvloop").run(asyncio.sleep(0))


def run_on(kind: str, work: Coroutine[Any, Any, Any]) -> Any:
    """Run `work` on a new loop of that kind; what the loop itself had to complain of fails the test."""
    if kind == "uvloop" and not HAS_UVLOOP:
        work.close()
        pytest.skip("uvloop is not installed")
    factory = importlib.import_module("uvloop").new_event_loop if kind == "uvloop" else None
    complaints: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        result = runner.run(work)
    assert not complaints, complaints
    return result


def on_each_loop(body: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[str], None]:
    @pytest.mark.parametrize("kind", KINDS)
    def test(kind: str) -> None:
        run_on(kind, body())

    test.__name__ = body.__name__
    test.__doc__ = body.__doc__
    return test


async def settled(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Let the loop turn until it is so; False where it was not so in all that time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.002)
    return True


async def still_waits(*work: Awaitable[Any], seconds: float = 0.15) -> bool:
    """Whether none of them has ended after a while (it can only prove the contrary)."""
    done, _ = await asyncio.wait([asyncio.ensure_future(each) for each in work], timeout=seconds)
    return not done
