"""The start race: which refusals are tried again, and for how long."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from peers import PATIENCE, environment
from wirecat.address import Address
from wirecat.cli import start_race
from wirecat.cli.start_race import may_start_late, try_again
from wirecat.errors import NoAnswer, Refused


class Opening:
    """Raises Refused some times, then succeeds."""

    def __init__(self, refusals: float) -> None:
        self.refusals = refusals
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        if self.tries <= self.refusals:
            raise Refused("connection refused")
        return "open"


def test_try_again_returns_the_first_success() -> None:
    opening = Opening(3)
    assert try_again(opening) == "open"
    assert opening.tries == 4


def test_try_again_gives_up_after_its_time() -> None:
    opening = Opening(float("inf"))
    started = time.monotonic()
    with pytest.raises(Refused):
        try_again(opening)
    assert time.monotonic() - started >= start_race.PATIENCE
    assert opening.tries > 1


def test_try_again_does_not_repeat_another_failure() -> None:
    tries = []

    def silent() -> None:
        tries.append(1)
        raise NoAnswer("no answer")

    with pytest.raises(NoAnswer):
        try_again(silent)
    assert len(tries) == 1


@pytest.mark.parametrize(
    ("address", "late"),
    [
        ("127.0.0.1:1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("localhost:1", True), ("1", True),
        ("tls://127.0.0.1:1", True), ("192.0.2.1:1", False), ("[fe80::1]:1", False), ("example.org:1", False),
        ("udp://127.0.0.1:1", False), ("unix:///x", False), ("exec:cat", False),
    ],
)  # fmt: skip
def test_only_this_machine_may_start_late(address: str, late: bool) -> None:
    assert may_start_late(Address.parse(address)) is late


ATTEMPTS = (
    "import os, sys\n"
    "def count(event, arguments):\n"
    "    if event == 'socket.connect': os.write(1, b'.')\n"
    "sys.addaudithook(count)\n"
    "import _socket, socket\n"
    "class Told(socket.socket):\n"
    "    def connect_ex(self, place):\n"
    "        os.write(1, b'.')\n"
    "        return super().connect_ex(place)\n"
    "socket.socket = Told\n"
    "from wirecat.__main__ import main\n"
    "sys.exit(main())\n"
)


@pytest.mark.parametrize(
    ("command", "repeats"),
    [
        ("connect 127.0.0.1:{}", True), ("ncat 127.0.0.1 {}", True), ("ncat --ssl 127.0.0.1 {}", True),
        ("ncat --proxy 127.0.0.1:{} 192.0.2.1 1", True), ("ncat -z 127.0.0.1 {}", False),
    ],
)  # fmt: skip
def test_which_commands_try_again(command: str, repeats: bool) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: it refuses, and no other program gets the port
        words = command.format(closed.getsockname()[1]).split()
        ended = subprocess.run(
            [sys.executable, "-c", ATTEMPTS, *words], env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=PATIENCE,
        )  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    assert (ended.stdout.count(b".") > 2) is repeats, ended.stdout
