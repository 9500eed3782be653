"""A worker by itself: the lines it obeys, and the lines it tells."""

from __future__ import annotations

import json
import sys
from time import perf_counter_ns

import pytest

from peers import SOURCE, Program
from swarm.servers import Scripted, echo
from wirecat.swarm.options import SwarmOptions
from wirecat.swarm.outcome import Outcome

WORKER = [sys.executable, "-c", "from wirecat.swarm.worker import main; main()"]


def task(port: int, **changes: object) -> bytes:
    fields = SwarmOptions(4, messages=2, expect="echo", workers=2).fields()
    del fields["payload"]
    words = {
        "v": 1, "options": fields, "payload": None, "candidates": [(2, ["127.0.0.1", port])], "numbers": [3, 5],
        "first": None,
    }  # fmt: skip
    return json.dumps({**words, **changes}).encode() + b"\n"


def test_its_life() -> None:
    assert SOURCE.exists()
    with Scripted(echo) as server, Program(WORKER) as worker:
        worker.send(task(server.port))
        worker.wait_for("stdout", rb'\{"connected": true\}\n')
        assert b"outcome" not in worker.stdout
        worker.send(b'{"go": %d}\n' % perf_counter_ns())
        assert worker.wait() == 0
        last = json.loads(worker.stdout.splitlines()[-1])
        outcome = Outcome.from_json(last["outcome"])
        assert (outcome.tally.connected, outcome.sent, outcome.tally.replies) == (2, 4, 4)
        assert worker.stderr == b""


@pytest.mark.parametrize("order", [b'{"stop": true}\n', b""])
def test_told_to_stop_or_left_alone_it_tells_what_it_has(order: bytes) -> None:
    with Scripted(echo) as server, Program(WORKER) as worker:
        worker.send(task(server.port))
        worker.wait_for("stdout", rb'\{"connected": true\}\n')
        worker.send(order)
        if not order:
            worker.close_stdin()
        assert worker.wait() == 0
        outcome = Outcome.from_json(json.loads(worker.stdout.splitlines()[-1])["outcome"])
        assert outcome.interrupted and outcome.tally.connected == 2 and outcome.sent == 0


@pytest.mark.parametrize(
    ("given", "said"), [(b"{}\n", "KeyError"), (b"\n", "JSONDecodeError"), (task(1, v=7), "version 7"),
                        (task(1, payload=5) + b"abc", "cut short")]
)  # fmt: skip
def test_what_it_cannot_do_is_a_fault(given: bytes, said: str) -> None:
    with Program(WORKER) as worker:
        worker.send(given)
        worker.close_stdin()
        assert worker.wait() == 1
        assert said in json.loads(worker.stdout.splitlines()[-1])["fault"]
