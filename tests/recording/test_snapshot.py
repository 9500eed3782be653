"""The socket table in a recording."""

from __future__ import annotations

import json

import pytest

from wirecat.recording.snapshot import read_rows, row_fields
from wirecat.system.socket_row import SocketRow


def test_rows_come_back() -> None:
    rows = (
        SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN", pid=7, process="cat"),
        SocketRow("udp", "ipv6", "::1", 80, "::1", 81, state="ESTABLISHED"),
    )
    assert read_rows(json.loads(json.dumps(row_fields(rows)))) == rows


@pytest.mark.parametrize("fields", [None, 5, {}, [5], [{}], [{"protocol": "tcp"}], [{"local_port": "x"}]])
def test_what_is_no_row_is_left_out(fields: object) -> None:
    assert read_rows(fields) == ()


def test_nothing_is_believed() -> None:
    row = {"protocol": "\x1b[2J", "family": "ipv4", "local_host": "x", "local_port": 1, "state": "<b>", "pid": "7"}
    (read,) = read_rows([row])
    assert (read.protocol, read.state, read.pid) == ("\\x1b[2J", None, None)
