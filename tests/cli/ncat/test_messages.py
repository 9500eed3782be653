"""Tests of the words, and of who says them."""

from __future__ import annotations

import io

import pytest

from wirecat.address import Address
from wirecat.cli.environment import Environment
from wirecat.cli.ncat import messages
from wirecat.cli.ncat.messages import Voice


@pytest.mark.parametrize(
    ("address", "where"),
    [
        (Address("tcp", "127.0.0.1", 80), "127.0.0.1:80"),
        (Address("tcp", "::1", 80), "[::1]:80"),
        (Address("udp", "::", 31337), "[::]:31337"),
        (Address("unix", path="/run/x"), "/run/x"),
    ],
)
def test_places(address: Address, where: str) -> None:
    assert messages.place(address) == where


def test_the_words() -> None:
    assert messages.counts(7, 7, 0.024) == "7 bytes sent, 7 bytes received in 0.02 seconds."
    assert messages.connected_tls("host:1", "") == "SSL connection to host:1."
    assert messages.connected_tls("host:1", "An Organisation") == "SSL connection to host:1. An Organisation"
    assert messages.fingerprint("d6d7ce2a" + "0" * 32).startswith("SHA-1 fingerprint: D6D7 CE2A 0000")
    assert len(messages.fingerprint("0" * 40).split()) == 12
    assert messages.connection_from("127.0.0.1:5", 7) == "Connection from 127.0.0.1:5 on file descriptor 7."
    assert messages.failed("::1", "Connection refused") == "Connection to ::1 failed: Connection refused."


@pytest.mark.parametrize(
    ("level", "said"), [(0, "Ncat: a\n"), (1, "Ncat: a\nNcat: b\n"), (2, "Ncat: a\nNcat: b\nNCAT DEBUG: c\n")]
)
def test_levels(level: int, said: str) -> None:
    stderr = io.StringIO()
    voice = Voice(Environment(io.StringIO(), io.StringIO(), stderr, {}), level)
    voice.say("a")
    voice.tell("b")
    voice.debug("c")
    assert stderr.getvalue() == said
