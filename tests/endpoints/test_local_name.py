"""Names that end in .local: when the local network is asked, and what is said when it cannot be. Nothing is sent here."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import pytest

from peers import PATIENCE
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import local_name
from wirecat.endpoints.resolve import resolve
from wirecat.errors import UnknownHost, Unreachable

FOUND = [(int(socket.AF_INET), ("127.0.0.1", 12345))]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the network is asked; its answers can be put in their place."""
    questions: list[Any] = []

    def ask(host: str, port: int, deadline: Deadline) -> list[Any]:
        questions.append((host, port))
        return FOUND

    monkeypatch.setattr(local_name, "ask_local_network", ask)
    return questions


def unknown(*arguments: Any) -> Any:
    """A resolver that knows nobody."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_the_network_is_asked_when_the_resolver_knows_no_such_name(
    monkeypatch: pytest.MonkeyPatch, asked: list[Any]
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", unknown)
    assert resolve(Address.parse("Desk.Local:12345"), Deadline(PATIENCE)) == FOUND
    assert asked == [("Desk.Local", 12345)]
    with pytest.raises(UnknownHost, match="Check the spelling"):
        resolve(Address.parse("desk.example:12345"), Deadline(PATIENCE))
    assert len(asked) == 1


def test_the_network_is_not_asked_when_the_resolver_knows(monkeypatch: pytest.MonkeyPatch, asked: list[Any]) -> None:
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *arguments: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.9", 1))]
    )
    assert resolve(Address.parse("desk.local:1"), Deadline(PATIENCE)) == [(socket.AF_INET, ("127.0.0.9", 1))]
    assert asked == []


def test_the_network_is_asked_while_the_resolver_is_silent(monkeypatch: pytest.MonkeyPatch, asked: list[Any]) -> None:
    enough = threading.Event()

    def silent(*arguments: Any) -> Any:
        enough.wait(PATIENCE)
        return unknown()

    monkeypatch.setattr("socket.getaddrinfo", silent)
    monkeypatch.setattr("wirecat.endpoints.resolve._HEAD_START", 0.0)
    try:
        assert resolve(Address.parse("desk.local:12345"), Deadline(PATIENCE)) == FOUND
    finally:
        enough.set()
    assert len(asked) == 1


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", unknown)
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(UnknownHost) as caught:
        resolve(Address.parse("desk.local:12345"), Deadline(PATIENCE))
    assert str(caught.value) == (
        "connect desk.local:12345: unknown host 'desk.local' (Name or service not known). "
        "To ask the local network itself: pip install 'wirecat[lan]'"
    )


@pytest.mark.parametrize("answer", [[], Unreachable("this PC is in no local network")])
def test_when_nobody_answers(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def ask(*arguments: Any) -> list[Any]:
        if answer:
            raise answer
        return []

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    monkeypatch.setattr(local_name, "ask_local_network", ask)
    with pytest.raises(UnknownHost, match="in no local network|Nobody on the local network answers"):
        resolve(Address.parse("desk.local:12345"), Deadline(PATIENCE))
