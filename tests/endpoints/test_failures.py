"""From an errno to one line that a person can act on."""

from __future__ import annotations

import errno

import pytest

from wirecat.address import Address
from wirecat.endpoints.failures import (
    BROKEN,
    broken,
    connect_failure,
    error_number,
    listen_failure,
    lookup_failure,
    output_failure,
)
from wirecat.errors import ConnectionBroken, NetworkError, NoAnswer, OutputClosed, Refused, Unreachable

FAR, NEAR, PATH = Address("tcp", "host", 80), Address("tcp", None, 80), Address("unix", path="/x")


def error(number: int, text: str = "text") -> OSError:
    return OSError(number, text)


@pytest.mark.parametrize(
    ("number", "address", "kind", "words"),
    [
        (errno.ECONNREFUSED, NEAR, Refused, "is the server running"),
        (errno.ECONNREFUSED, PATH, Refused, "is the server running"),
        (errno.ECONNREFUSED, FAR, Refused, "The host answers"),
        (errno.ETIMEDOUT, FAR, NoAnswer, "firewall"),
        (errno.ETIMEDOUT, NEAR, NoAnswer, "queue may be full"),
        (errno.EHOSTUNREACH, FAR, Unreachable, "Is it on"),
        (errno.ENETUNREACH, FAR, Unreachable, "connected"),
        (errno.EADDRNOTAVAIL, FAR, Unreachable, "no address"),
        (errno.EAFNOSUPPORT, FAR, Unreachable, "cannot speak"),
        (errno.EACCES, FAR, Unreachable, "not permitted"),
        (errno.ECONNRESET, FAR, ConnectionBroken, "broke the connection off"),
        (errno.EMFILE, FAR, NetworkError, "text"),
    ],
)
def test_connecting(number: int, address: Address, kind: type, words: str) -> None:
    failure = connect_failure(error(number), address)
    assert type(failure) is kind
    assert words in str(failure)
    assert str(address) in str(failure)
    assert failure.errno == number
    assert failure.exit_code == 1


def test_connecting_says_how_long_it_waited() -> None:
    assert "no answer in 2.5 s" in str(connect_failure(TimeoutError(), FAR, 2.5))
    assert "no answer. " in str(connect_failure(TimeoutError(), FAR))


def test_what_is_told_already_stays_as_it_is() -> None:
    told = Refused("refused")
    assert connect_failure(told, FAR) is told


@pytest.mark.parametrize(
    ("number", "address", "words"),
    [
        (errno.EADDRINUSE, NEAR, "the port is taken. See who has it: wirecat sockets --listening --port 80"),
        (errno.EADDRINUSE, PATH, "the path is taken"),
        (errno.EACCES, NEAR, "privileged"),
        (errno.EACCES, Address("tcp", None, 8080), "not permitted"),
        (errno.EACCES, PATH, "directory"),
        (errno.EADDRNOTAVAIL, FAR, "not this PC's"),
        (errno.EAFNOSUPPORT, FAR, "cannot speak"),
        (errno.ENOENT, PATH, "text"),
    ],
)
def test_listening(number: int, address: Address, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    failure = listen_failure(error(number), address)
    assert words in str(failure)
    assert "None" not in str(failure)
    assert failure.exit_code == 1
    assert failure.errno == number


def test_listening_says_who_has_the_port() -> None:
    failure = listen_failure(error(errno.EADDRINUSE), NEAR, "nginx (pid 7)")
    assert "the port is taken by nginx (pid 7)" in str(failure)


@pytest.mark.parametrize("number", sorted(BROKEN))
def test_a_connection_that_breaks(number: int) -> None:
    failure = broken(error(number), FAR, unsent=3)
    assert failure.unsent == 3
    assert failure.errno == number
    assert str(failure).startswith("connection host:80: ")


def test_a_peer_that_went_is_told_from_a_network_that_went() -> None:
    assert "peer broke" in str(broken(error(errno.ECONNRESET), FAR))
    assert "peer broke" in str(broken(error(errno.EPIPE), FAR))
    assert "lost" in str(broken(error(errno.ETIMEDOUT), FAR))
    assert "lost" in str(broken(error(errno.EHOSTUNREACH), FAR))


def test_a_name_that_does_not_resolve() -> None:
    failure = lookup_failure(error(-2, "Name or service not known"), FAR)
    assert str(failure).startswith("connect host:80: unknown host 'host' (Name or service not known)")


def test_output_that_takes_no_more() -> None:
    gone = output_failure(error(errno.EPIPE), 7)
    assert isinstance(gone, OutputClosed)
    assert "at least 7 bytes" in str(gone)
    full = output_failure(error(errno.ENOSPC, "No space left on device"), 7)
    assert type(full) is NetworkError
    assert "No space left on device" in str(full)
    assert full.exit_code == 1


@pytest.mark.parametrize(
    ("windows", "number"), [(10061, errno.ECONNREFUSED), (10060, errno.ETIMEDOUT), (10054, errno.ECONNRESET), (5, 5)]
)
def test_windows_numbers_are_translated(windows: int, number: int) -> None:
    failure = OSError("text")
    failure.winerror = windows  # type: ignore[attr-defined]
    assert error_number(failure) == number
    assert error_number(OSError("no number")) == 0
