"""Rows of the socket table and the spellings of states."""

from __future__ import annotations

import pytest

from wirecat.system.socket_row import TCP_STATES, SocketRow, find_state


@pytest.mark.parametrize(
    ("spelling", "state"),
    [
        *((state, state) for state in TCP_STATES),
        ("established", "ESTABLISHED"),
        ("ESTAB", "ESTABLISHED"),
        ("TIME_WAIT", "TIME-WAIT"),
        ("time-wait", "TIME-WAIT"),
        ("SYN_RECV", "SYN-RECEIVED"),
        ("syn_received", "SYN-RECEIVED"),
        ("SYN_SENT", "SYN-SENT"),
        ("FIN_WAIT1", "FIN-WAIT-1"),
        ("fin-wait-2", "FIN-WAIT-2"),
        ("FIN_WAIT_2", "FIN-WAIT-2"),
        ("Listening", "LISTEN"),
        ("CLOSE", "CLOSED"),
        ("DELETE_TCB", "CLOSED"),
        ("unconn", "UNCONNECTED"),
    ],
)
def test_every_usual_spelling_is_a_state(spelling: str, state: str) -> None:
    assert find_state(spelling) == state


@pytest.mark.parametrize("spelling", ["", "-", "QUARK", "TIME", "LISTEN!", "ESTABLISHED ESTABLISHED"])
def test_what_is_no_state_is_none(spelling: str) -> None:
    assert find_state(spelling) is None


def test_a_row_that_listens() -> None:
    assert SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN").is_listening
    assert SocketRow("udp", "ipv4", "127.0.0.1", 53).is_listening
    assert not SocketRow("udp", "ipv4", "127.0.0.1", 53, "127.0.0.1", 9, "ESTABLISHED").is_listening
    assert not SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="CLOSED").is_listening


def test_the_owner_is_named_as_far_as_known() -> None:
    assert SocketRow("tcp", "ipv4", "::", 1, pid=7, process="cat").describe_owner() == "process cat (pid 7)"
    assert SocketRow("tcp", "ipv4", "::", 1, pid=7).describe_owner() == "process 7"
    assert SocketRow("tcp", "ipv4", "::", 1).describe_owner() == ""


def test_rows_with_the_same_values_are_equal() -> None:
    rows = [SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN") for _ in range(2)]
    assert rows[0] == rows[1]
    assert len(set(rows)) == 1
    assert rows[0] != SocketRow("tcp", "ipv4", "127.0.0.1", 81, state="LISTEN")
    assert "local_port=80" in repr(rows[0])
