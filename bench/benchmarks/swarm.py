"""Swarm: how many round trips a second one process of ``wirecat swarm`` drives, beside a load generator in C."""

from __future__ import annotations

import json
from functools import partial
from subprocess import PIPE

from bench.contest import Outcome, Sample, compete
from bench.programs import (
    LOAD_CORE,
    Program,
    free_port,
    plain_wirecat,
    require_verb,
    serving,
    wirecat,
    yardstick,
)  # fmt: skip
from bench.settings import Settings

NAME = "swarm"
SIZE = 64
SWARM = "wirecat swarm, every reply checked"
PLAIN = "the same without uvloop"
LOAD = "C, epoll, nothing checked"


def measure(who: str, clients: int, seconds: float) -> Sample:
    port = free_port()
    if who == LOAD:
        command: list[object] = [yardstick("load"), "echo", port, clients, seconds, SIZE]
    else:
        require_verb("swarm", "--size")
        words = ("--clients", clients, "--duration", seconds, "--size", SIZE, "--expect", "echo", "--json")
        command = (plain_wirecat if who == PLAIN else wirecat)("swarm", f"127.0.0.1:{port}", *words)
    with serving([yardstick("echo"), str(port)], port):
        with Program(command, core=LOAD_CORE, stdout=PIPE) as running:
            found = json.loads(running.wait(seconds + 120))
    if who == LOAD:
        return Sample(found["per_second"], {"p50 µs": found["p50"], "p99 µs": found["p99"]})
    assert found["ok"], found["errors"]
    latency = found["latency_us"]
    return Sample(found["requests_per_second"], {"p50 µs": latency["p50"], "p99 µs": latency["p99"]})


def run(settings: Settings) -> Outcome:
    groups = [
        compete(
            f"{clients} clients",
            [(who, partial(measure, who, clients, settings.seconds)) for who in (SWARM, PLAIN, LOAD)],
            settings.rounds,
        )
        for clients in settings.clients
    ]
    return Outcome(
        NAME, "The load that a swarm drives",
        "Against the echo server in C, which has a core of its own: messages of 64 bytes, each client waits for "
        "its reply. "
        "The swarm sends other bytes each time, compares every reply, and keeps every latency.",
        "round trips a second", "more", groups,
    )  # fmt: skip
