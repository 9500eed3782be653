"""The log of a server, line by line, as a newcomer reads it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from wirecat.address import Address
from wirecat.events import (
    Closed,
    Denied,
    Event,
    Failed,
    HalfClosed,
    Listening,
    Missed,
    Opened,
    Stopped,
    Stopping,
    Withheld,
)
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.taps.transcript import NotShown, Said
from wirecat.views.text_server import ServerLog

PEER = Address("tcp", "192.0.2.1", 4000)


def closed(**changes: Any) -> Closed:
    fields = {
        "connection": 3, "peer": PEER, "by": "peer", "reason": "end", "seconds": 1.25, "received": 10, "sent": 2048,
        "open_count": 4,
    }  # fmt: skip
    return Closed(**{**fields, **changes})


def lines(event: Event, verbose: bool = False) -> list[str]:
    """The lines without the time at their beginning."""
    stamp = time.strftime("%H:%M:%S ", time.localtime(event.time))
    found = ServerLog(verbose).lines(event)
    assert all(line.startswith(stamp) for line in found)
    return [line.removeprefix(stamp) for line in found]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Opened(connection=3, peer=PEER, local=PEER, open_count=2), "#3 192.0.2.1:4000 connected (2 open)"),
        (closed(), "#3 192.0.2.1:4000 closed by the client after 1.2 s: 10 B in, 2.0 kB out (4 open)"),
        (
            closed(by="server", reason="idle", seconds=0.004, received=0, sent=0, open_count=0),
            "#3 192.0.2.1:4000 closed by the server (idle) after 4 ms: 0 B in, 0 B out (0 open)",
        ),
        (
            closed(reason="reset", seconds=130),
            "#3 192.0.2.1:4000 closed by the client (reset) after 2 min 10 s: 10 B in, 2.0 kB out (4 open)",
        ),
        (Denied(peer=PEER, reason="not allowed"), "192.0.2.1:4000 denied: not allowed"),
        (
            Withheld(peer=PEER, count=12, size=3000, limit=5),
            "192.0.2.1:4000 12 answers withheld (3.0 kB): beyond --udp-replies 5",
        ),
        (Missed(count=1), "1 event not shown: this terminal is too slow"),
        (NotShown(count=7), "7 more not shown"),
        (
            Stopping(open_count=2, seconds=2.0),
            "stopping: 2 connections may end within 2.0 s; Ctrl-C again cuts",
        ),
        (Stopping(open_count=1, seconds=0), "stopping: 1 connection will be cut"),
        (Stopped(served=1, stuck=0), "stopped after 1 connection"),
        (Stopped(served=5, stuck=2), "stopped after 5 connections; 2 handlers would not end"),
        (Failed(connection=None, peer=None, error="cannot accept", traceback=""), "cannot accept"),
        (
            Failed(connection=3, peer=PEER, error="ValueError: x", traceback="Traceback\n  line"),
            "#3 handler error: ValueError: x (-v shows where)",
        ),
        (
            Said(connection=3, direction=RECEIVED, text="Hallo", size=5, whole=True),
            "#3 > Hallo",
        ),
        (Said(connection=3, direction=SENT, text="Hal", size=5000, whole=False), "#3 < Hal … (5.0 kB)"),
    ],
)
def test_one_line_each(event: Event, line: str) -> None:
    assert lines(event) == [line]


@pytest.mark.parametrize("event", [HalfClosed(connection=3, peer=PEER), Stopping(open_count=0, seconds=2.0)])
def test_what_people_need_not_see(event: Event) -> None:
    assert lines(event) == lines(event, verbose=True) == []


def test_the_first_lines() -> None:
    event = Listening(
        addresses=(Address("tcp", "127.0.0.1", 12345), Address("tcp", "::1", 12345)),
        limit=960, limit_reason="1024 open files are allowed",
    )  # fmt: skip
    assert ServerLog().lines(event) == [
        "wirecat: listening on 127.0.0.1:12345 and [::1]:12345 (this PC only; --lan opens it to others)",
        "wirecat: at most 960 connections at once (1024 open files are allowed)",
    ]


def test_where_a_handler_failed_is_shown_on_demand() -> None:
    event = Failed(connection=3, peer=PEER, error="ValueError: x", traceback="Traceback\n  File x\nValueError: x")
    assert lines(event, verbose=True) == [
        "#3 handler error: ValueError: x",
        "#3   Traceback",
        "#3     File x",
        "#3   ValueError: x",
    ]


def test_where_a_handler_hangs_is_always_shown() -> None:
    event = Failed(connection=3, peer=PEER, error="the handler stay will not end", traceback="  File x\n    wait()")
    assert lines(event) == ["#3 the handler stay will not end", "#3     File x", "#3       wait()"]


def test_nothing_of_a_clients_or_a_handlers_reaches_the_terminal_raw() -> None:
    evil = "\x1b[2J\u202e\x07"
    events = [
        Failed(connection=3, peer=PEER, error=evil, traceback=f"Traceback {evil}\n{evil}"),
        Opened(connection=3, peer=Address("unix", path=f"/tmp/{evil}"), local=PEER, open_count=1),
        closed(peer=Address("unix", path=f"@{evil}")),
        Denied(peer=Address("unix", path=evil), reason="not allowed"),
    ]
    for event in events:
        for line in lines(event, verbose=True):
            assert line.isprintable(), line
            assert "1b[2J" in line.replace("1B[", "1b[")


def test_a_program_that_uses_a_path_has_no_name() -> None:
    event = Opened(connection=1, peer=Address("unix", path=""), local=PEER, open_count=1)
    assert lines(event) == ["#1 a program of this PC connected (1 open)"]


def test_the_time_is_that_of_the_event() -> None:
    event = Stopped(served=1, stuck=0, time=0.0)
    (line,) = ServerLog().lines(event)
    assert line.startswith(time.strftime("%H:%M:%S ", time.localtime(0)))
    assert re.match(r"\d\d:\d\d:\d\d ", line)
