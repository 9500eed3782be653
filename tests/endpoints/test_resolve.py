"""Name lookup: numbers ask nobody, names are asked for within the deadline, nonsense is an unknown host."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints.resolve import interleave, resolve
from wirecat.errors import NoAnswer, UnknownHost

V4, V6 = socket.AF_INET, socket.AF_INET6


def found(host: str | None, port: int = 80) -> list[Any]:
    return resolve(Address("tcp", host, port), Deadline(10))


@pytest.fixture
def no_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def numeric_only(*arguments: Any) -> Any:
        assert arguments[-1] & socket.AI_NUMERICHOST, "a name server was asked"
        return real(*arguments)

    monkeypatch.setattr(socket, "getaddrinfo", numeric_only)


@pytest.mark.usefixtures("no_lookups")
@pytest.mark.parametrize(
    ("host", "candidates"),
    [
        (None, [(V4, ("127.0.0.1", 80)), (V6, ("::1", 80, 0, 0))]),
        ("", [(V4, ("127.0.0.1", 80)), (V6, ("::1", 80, 0, 0))]),
        ("192.0.2.7", [(V4, ("192.0.2.7", 80))]),
        ("::1", [(V6, ("::1", 80, 0, 0))]),
        ("2001:DB8::0007", [(V6, ("2001:db8::7", 80, 0, 0))]),
        ("::ffff:127.0.0.1", [(V6, ("::ffff:127.0.0.1", 80, 0, 0))]),
        ("fe80::1%lo", [(V6, ("fe80::1", 80, 0, 1))]),
        ("fe80::1%1", [(V6, ("fe80::1", 80, 0, 1))]),
    ],
)
def test_numbers_ask_nobody(host: str | None, candidates: list[Any]) -> None:
    assert found(host) == candidates


def test_a_scope_that_is_not_there_is_an_unknown_host() -> None:
    with pytest.raises(UnknownHost, match="nosuch0"):
        found("fe80::1%nosuch0")


def test_a_name() -> None:
    assert (V4, ("127.0.0.1", 80)) in found("localhost")


@pytest.mark.parametrize(
    "host",
    [
        "nobody.invalid",
        "a..b",
        ".",
        "x" * 300,
        "x" * 64 + ".example",
        "ü" * 100,
        "\u3002.example",  # a dot of another script, alone
        "\u00ad",  # nothing is left of it
        "ä..ö",
        "-",
        "host name",
        "127.0.0.1.1",
        "256.1.1.1",
        "1:2",
        "::zz",
        "%",
        "127.0.0.1\0.example",
        "::1\0",
        "\ud800",
        "\udcff",
    ],
    ids=ascii,
)
def test_nonsense_is_an_unknown_host(host: str) -> None:
    with pytest.raises(UnknownHost) as caught:
        found(host)
    assert caught.value.step == "connect"
    assert caught.value.exit_code == 1


def test_the_step_is_told() -> None:
    with pytest.raises(UnknownHost, match="^listen nobody"):
        resolve(Address("tcp", "nobody.invalid", 80), Deadline(10), "listen")


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A lookup that hangs until the event is set."""
    release, ended = threading.Event(), threading.Event()

    def getaddrinfo(*arguments: Any) -> Any:
        release.wait(30)
        ended.set()
        return [(V4, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield release
    release.set()
    assert ended.wait(10)


def test_a_lookup_that_hangs_keeps_to_the_deadline(hanging: threading.Event) -> None:
    started = time.monotonic()
    with pytest.raises(NoAnswer, match=r"^connect slow\.example:80: the lookup of 'slow\.example' took .*0\.2 s"):
        resolve(Address("tcp", "slow.example", 80), Deadline(0.2))
    assert 0.15 < time.monotonic() - started < 5


@pytest.mark.parametrize("seconds", [None, 1e12])
def test_any_length_of_time_can_be_waited(hanging: threading.Event, seconds: float | None) -> None:
    threading.Timer(0.1, hanging.set).start()
    assert resolve(Address("tcp", "slow.example", 80), Deadline(seconds)) == [(V4, ("192.0.2.1", 80))]


def test_temporary_failures_are_told_with_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*arguments: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(UnknownHost, match="Temporary failure") as caught:
        found("host.example")
    assert caught.value.errno == socket.EAI_AGAIN


def test_other_families_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [
        (999, socket.SOCK_STREAM, 6, "", ("strange",)),
        (V4, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80)),
        (V4, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: answers)
    assert found("host.example") == [(V4, ("192.0.2.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: answers[:1])
    with pytest.raises(UnknownHost, match="no address that can be used"):
        found("host.example")


def test_names_are_looked_up_as_ascii_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A str would load Python's idna codec, which costs 6 to 8 ms of a start."""
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: asked.append(host) or [])
    for host in ("host.example", "müller.example"):
        with pytest.raises(UnknownHost):
            found(host)
    assert asked == [b"host.example", b"xn--mller-kva.example"]


def test_families_take_turns_beginning_with_the_systems_first() -> None:
    a, b, c = (V6, ("a",)), (V6, ("b",)), (V6, ("c",))
    x, y = (V4, ("x",)), (V4, ("y",))
    assert interleave([a, b, c, x, y]) == [a, x, b, y, c]
    assert interleave([x, a, b]) == [x, a, b]
    assert interleave([x, y]) == [x, y]
    assert interleave([]) == []
