"""What is checked before a server of workers opens a socket."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from server.clients import serving
from wirecat import UsageError, serve
from wirecat.errors import HandlerError
from wirecat.server.supervise import MOST_WORKERS
from wirecat.server.supervisor import Supervisor
from wirecat.system import limits
from wirecat.system.limits import usable_processors

HERE = "127.0.0.1:0"


@pytest.mark.parametrize(
    ("handler", "address", "workers", "said"),
    [
        ("echo", "udp://127.0.0.1:0", 2, "workers serve TCP alone"),
        ("echo", "tls://127.0.0.1:0", 2, "workers serve TCP alone"),
        ("echo", "unix:///nowhere", 2, "workers serve TCP alone"),
        ("echo", HERE, 0, "workers must be a whole number of at least 1, not 0"),
        ("echo", HERE, 1.5, "workers must be"),
        ("echo", HERE, "many", "workers must be"),
        ("echo", HERE, True, "workers must be"),
        ("echo", HERE, MOST_WORKERS + 1, "are more than 256"),
    ],
)
def test_wrong_use(handler: str, address: str, workers: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        serve(handler, address, workers=workers)


def test_handlers_that_no_worker_has() -> None:
    with pytest.raises(HandlerError, match="share what they say to each other"):
        serve("chat", HERE, workers=2)
    with pytest.raises(HandlerError, match="cannot be imported"):
        serve(lambda connection: None, HERE, workers=2)


def test_options_are_checked_as_for_one_process() -> None:
    with pytest.raises(UsageError, match="chunk is for responders"):
        serve("exec:cat", HERE, workers=2, chunk=5)


def test_a_listener_of_the_callers() -> None:
    from wirecat.address import Address
    from wirecat.endpoints import open_listener

    with open_listener(Address.parse(HERE)) as listener, pytest.raises(UsageError, match="listeners of their own"):
        serve("echo", workers=2, listener=listener)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports are not shared here")
def test_auto_is_one_for_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wirecat.server.supervise.usable_processors", lambda: 1)
    with serving("echo", workers="auto") as served:
        assert isinstance(served.server, Supervisor)
        assert len(served.server._slots) == 1


def test_at_least_one_processor_is_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_processors() >= 1
    monkeypatch.delattr(limits.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(limits.os, "cpu_count", lambda: None)
    assert usable_processors() == 1
