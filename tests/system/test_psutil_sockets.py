"""The socket table by psutil, which Linux has as well, and what is said without it."""

from __future__ import annotations

import os
import socket
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from wirecat.errors import UsageError
from wirecat.system.psutil_sockets import (
    NOT_ALL_SEEN,
    psutil_process_name,
    read_entries,
    read_psutil_sockets,
)


def test_without_psutil_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(UsageError) as caught:
        read_psutil_sockets()
    assert "pip install 'wirecat[sockets]'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_real_sockets(conversation, family) -> None:
    pytest.importorskip("psutil")
    rows, _ = read_psutil_sockets()
    rows = [row for row in rows if conversation.port in (row.local_port, row.remote_port)]
    assert {(row.state, row.local_port, row.remote_port) for row in rows} == {
        ("LISTEN", conversation.port, None),
        ("ESTABLISHED", conversation.port, conversation.client_port),
        ("ESTABLISHED", conversation.client_port, conversation.port),
    }
    assert {(row.pid, row.family, row.protocol) for row in rows} == {(os.getpid(), family, "tcp")}
    assert psutil_process_name(os.getpid())


def entry(**values: Any) -> Any:
    values = {"pid": 5, "status": "NONE", "raddr": (), "family": socket.AF_INET} | values
    return SimpleNamespace(**values)


def test_entries_become_rows() -> None:
    rows = read_entries(
        [
            entry(type=socket.SOCK_STREAM, laddr=("127.0.0.1", 1), raddr=("127.0.0.1", 2), status="FIN_WAIT1"),
            entry(type=socket.SOCK_DGRAM, laddr=("::1", 3), family=socket.AF_INET6, pid=None),
            entry(type=socket.SOCK_DGRAM, laddr=("127.0.0.1", 3), raddr=("127.0.0.1", 4)),
            entry(type=socket.SOCK_STREAM, laddr=(), status="CLOSE"),
        ]
    )
    assert [(row.protocol, row.family, row.local_port, row.remote_port, row.state, row.pid) for row in rows] == [
        ("tcp", "ipv4", 1, 2, "FIN-WAIT-1", 5),
        ("udp", "ipv6", 3, None, "UNCONNECTED", None),
        ("udp", "ipv4", 3, 4, "ESTABLISHED", 5),
    ]


def test_where_the_whole_table_is_refused_the_own_processes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Error(Exception):
        pass

    def refuse(kind: str) -> list[Any]:
        raise Error(kind)

    listener = entry(type=socket.SOCK_STREAM, laddr=("127.0.0.1", 1), status="LISTEN")
    own = SimpleNamespace(pid=10, net_connections=lambda kind: [listener])
    older = SimpleNamespace(pid=11, connections=lambda kind: [listener])  # before psutil 6
    other = SimpleNamespace(pid=12, net_connections=refuse)
    fake = SimpleNamespace(
        net_connections=refuse, AccessDenied=Error, Error=Error, process_iter=lambda: [own, older, other]
    )
    monkeypatch.setitem(sys.modules, "psutil", fake)
    rows, notes = read_psutil_sockets()
    assert [(row.state, row.pid) for row in rows] == [("LISTEN", 10), ("LISTEN", 11)]
    assert notes == [NOT_ALL_SEEN]
