"""Real sockets on loopback in the state a test asks for, and a network namespace of the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lonely_port import lonely_socket

SOURCE = Path(__file__).parents[2] / "src"
LOOPBACK = {"ipv4": "127.0.0.1", "ipv6": "::1"}
FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Conversation:
    """A listener, a client connected to it, and the accepted side."""

    def __init__(self, family: str, stack: ExitStack) -> None:
        self.listener = stack.enter_context(lonely_socket(FAMILIES[family]))
        self.listener.listen(17)
        self.port = self.listener.getsockname()[1]
        self.client = stack.enter_context(socket.create_connection(self.listener.getsockname()[:2], 10))
        self.client_port = self.client.getsockname()[1]
        self.server, _ = self.listener.accept()
        stack.enter_context(self.server)
        self.server.settimeout(10)


@pytest.fixture(params=["ipv4", "ipv6"])
def family(request: pytest.FixtureRequest) -> str:
    """Each family that this machine's loopback has."""
    name: str = request.param
    try:
        with socket.socket(FAMILIES[name]) as trial:
            trial.bind((LOOPBACK[name], 0))
    except OSError:
        pytest.skip(f"no {name} on loopback")
    return name


@pytest.fixture
def conversation(family: str) -> Iterator[Conversation]:
    with ExitStack() as stack:
        yield Conversation(family, stack)


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Call until the result is true, for what the kernel does in its own time; fails after ten seconds."""

    def wait(look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 10
        while not (result := look()):
            assert time.monotonic() < deadline, "it never came to be"
            os.sched_yield()
        return result

    return wait


@pytest.fixture
def in_namespace() -> Callable[[str, str], Any]:
    """Run shell commands, then Python code, in a new network namespace; gives the JSON it prints."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("needs root, unshare and ip, to make a network namespace of its own")
    trial = ["unshare", "-n", "ip", "link", "add", "d0", "type", "veth"]
    if subprocess.run(trial, capture_output=True, timeout=20, check=False).returncode:
        pytest.skip("may not make a network namespace with an interface")

    def run(commands: str, code: str) -> Any:
        result = subprocess.run(
            ["unshare", "-n", "sh", "-ec", f'{commands}\nexec "$0" -c "$1"', sys.executable, code],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run
