"""Events as lines of JSON on standard output, and what becomes of them when nobody reads on."""

from __future__ import annotations

import io
import json
import os

from wirecat.address import Address
from wirecat.cli.environment import Environment
from wirecat.cli.json_events import json_listener
from wirecat.events import Denied

EVENT = Denied(peer=Address("tcp", "127.0.0.1", 80), reason="not allowed")


def test_an_event_is_a_line() -> None:
    out = io.StringIO()
    tell = json_listener(Environment(io.StringIO(), out, io.StringIO(), {}))
    tell(EVENT)
    tell(EVENT)
    first, second = map(json.loads, out.getvalue().splitlines())
    assert first == second
    assert (first["event"], first["peer"], first["reason"]) == (
        "denied",
        {"host": "127.0.0.1", "port": 80},
        "not allowed",
    )


def test_when_nobody_reads_on_that_is_said_once() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    said = io.StringIO()
    with open(writes, "w") as out:
        tell = json_listener(Environment(io.StringIO(), out, said, {}))
        tell(EVENT)
        tell(EVENT)
    assert said.getvalue().count("events are no longer written") == 1
