"""The verb ``sockets`` as a function of the library."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from lonely_port import lonely_socket
from wirecat.errors import UsageError
from wirecat.sockets import listing
from wirecat.sockets.listing import sockets
from wirecat.system.socket_row import TCP_STATES, SocketRow
from wirecat.system.socket_table import SocketTable

if not sys.platform.startswith(("linux", "win32")):
    pytest.importorskip("psutil")


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a listener with one connection to it."""
    with lonely_socket() as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname(), 10), listener.accept()[0]:
            yield listener.getsockname()[1]


def test_a_listener_and_its_connection_listeners_first(port: int) -> None:
    listed = sockets(port=port)
    assert [row.state for row in listed] == ["LISTEN", "ESTABLISHED", "ESTABLISHED"]
    assert len(listed) == len(listed.rows) == 3
    assert {row.pid for row in listed} == {os.getpid()}
    assert listed.notes == []


def test_only_listeners(port: int) -> None:
    assert [row.state for row in sockets(port=port, listening=True)] == ["LISTEN"]
    assert all(row.is_listening for row in sockets(listening=True, processes=False))


@pytest.mark.parametrize("spelling", ["ESTABLISHED", "established", "ESTAB"])
def test_only_one_state(port: int, spelling: str) -> None:
    assert [row.state for row in sockets(port=port, state=spelling)] == ["ESTABLISHED"] * 2
    assert {row.state for row in sockets(state=spelling, processes=False)} == {"ESTABLISHED"}


def test_only_one_protocol(port: int) -> None:
    assert len(sockets(port=port, protocol="tcp")) == 3
    assert len(sockets(port=port, protocol="udp")) == 0
    with pytest.raises(UsageError, match="tcp or udp"):
        sockets(protocol="sctp")


def test_listening_with_a_state() -> None:
    assert {row.state for row in sockets(listening=True, state="listening", processes=False)} <= {"LISTEN"}
    with pytest.raises(UsageError, match="never ESTABLISHED"):
        sockets(listening=True, state="estab")


def test_an_unknown_state_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no state 'quark'") as caught:
        sockets(state="quark")
    assert all(state in str(caught.value) for state in TCP_STATES)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("wrong", [0, -1, 65536, 70000])
def test_a_port_that_cannot_be(wrong: int) -> None:
    with pytest.raises(UsageError, match="1 to 65535"):
        sockets(port=wrong)


def test_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [
        SocketRow("tcp", "ipv4", "0.0.0.0", 22, state="LISTEN"),
        SocketRow("tcp", "ipv4", "0.0.0.0", 80, state="LISTEN"),
        SocketRow("tcp", "ipv6", "::", 80, state="LISTEN"),
        SocketRow("tcp", "ipv4", "127.0.0.1", 22, "127.0.0.1", 5, "ESTABLISHED"),
        SocketRow("tcp", "ipv4", "127.0.0.1", 22, "127.0.0.1", 9, "TIME-WAIT"),
        SocketRow("udp", "ipv4", "127.0.0.1", 53, state="UNCONNECTED"),
        SocketRow("udp", "ipv4", "127.0.0.1", 7, "127.0.0.1", 9, "ESTABLISHED"),
    ]
    table = SocketTable(wanted[::-1], ["a note"])
    monkeypatch.setattr(listing, "read_socket_table", lambda **_: table)
    listed = sockets()
    assert (listed.rows, listed.notes) == (wanted, ["a note"])
