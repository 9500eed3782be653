"""A worker's process from outside: what it says, and how it ended."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any

import pytest

from wirecat.address import Address
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.reuse_port import bind_shared
from wirecat.errors import UsageError
from wirecat.options import ServeOptions
from wirecat.server import worker_process as module
from wirecat.server.channel import VERSION
from wirecat.server.worker_process import WorkerProcess

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports are not shared here")


def test_it_inherits_the_listener_and_ends_with_the_channel() -> None:
    [listener] = bind_shared(Address.parse("127.0.0.1:0"), 1)
    with listener:
        process = WorkerProcess(3, listener)
        assert process.name.startswith("worker 3 (process ")
        descriptors = [each.fileno() for each in listener.sockets]
        task = {"handler": "echo", "options": ServeOptions().fields(), "number": 3}
        process.channel.send("task", v=VERSION, listeners=descriptors, **task)
        assert next(process.messages()) == {"type": "ready"}
        assert process.end() == "ended with exit code 0"


def test_how_it_was_killed() -> None:
    process = WorkerProcess(1, Listener([]))
    process.kill()
    assert list(process.messages()) == []
    assert process.end() == "was killed by signal 9 (SIGKILL)"


def start(monkeypatch: pytest.MonkeyPatch, text: str) -> WorkerProcess:
    """A process that runs ``text`` in place of a worker."""
    monkeypatch.setattr(module, "_START", f"import os, sys, time\n{text}")
    return WorkerProcess(1, Listener([]))


def test_one_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "END_TIME", 0.05)
    process = start(monkeypatch, "time.sleep(60)")
    assert process.end() == "was killed by signal 9 (SIGKILL)"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts a child the way of POSIX")
def test_its_end_is_seen_though_a_child_holds_the_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "pid = os.fork()\nif pid:\n os.write(int(sys.argv[1]), b'{\"pid\":%d}\\n' % pid); os._exit(3)\ntime.sleep(60)"
    )
    process = start(monkeypatch, text)
    [said] = process.messages()
    os.kill(said["pid"], signal.SIGKILL)
    assert process.end() == "ended with exit code 3"


def test_signals_that_are_for_the_supervisor_are_blocked_until_it_ignores_them(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "import json, signal\n"
        "blocked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n"
        "os.write(int(sys.argv[1]), json.dumps({'blocked': blocked}).encode() + b'\\n')"
    )
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    process = start(monkeypatch, text)
    [said] = process.messages()
    assert set(said["blocked"]) >= {signal.SIGINT, signal.SIGTERM}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
    process.end()


def test_without_a_python_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(UsageError, match="workers need a Python"):
        WorkerProcess(1, Listener([]))


def test_where_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def popen(*_: Any, **__: Any) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(module.subprocess, "Popen", popen)
    with pytest.raises(OSError, match="Resource"):
        WorkerProcess(1, Listener([]))
