"""Every engine in turn: a thread for each client, and the event loop on uvloop and on plain asyncio."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


def choose_loop(which: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Arrange for one of ``threads``, ``uvloop``, ``asyncio``; what ``serve(engine=...)`` then is to be given."""
    if which == "threads":
        return "threads"
    if which == "uvloop":
        pytest.importorskip("uvloop")
    else:
        monkeypatch.setattr("wirecat.server.event_loop.loop_factory", lambda: None)
    return "async"


@pytest.fixture(params=["threads", "uvloop", "asyncio"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an engine, once for each way that a responder can be driven."""
    return choose_loop(request.param, monkeypatch)


@pytest.fixture(params=["uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each event loop in turn; its name."""
    choose_loop(request.param, monkeypatch)
    return str(request.param)


@pytest.fixture(autouse=True)
def no_complaint_of_the_loop(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What an event loop has to log (an exception in a callback, a task whose error nobody took) is a fault."""
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        yield
    for when in ("setup", "call"):
        said = [record.getMessage() for record in caplog.get_records(when) if record.name == "asyncio"]
        assert not said, said
