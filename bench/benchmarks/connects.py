"""Connects: how many connections a second a server on one core takes and gives back, and what each costs it."""

from __future__ import annotations

import json
from functools import partial
from subprocess import PIPE

from bench import servers
from bench.contest import Outcome, Sample, compete
from bench.programs import LOAD_CORE, Program, free_port, serving, yardstick
from bench.settings import Settings

NAME = "connects"
CLIENTS = 20
COST = "server µs each"


def measure(who: str, seconds: float) -> Sample:
    port = free_port()
    with serving(servers.command(who, port), port) as server:
        used = server.processor_so_far()
        with Program([yardstick("load"), "connect", port, CLIENTS, seconds], core=LOAD_CORE, stdout=PIPE) as running:
            found = json.loads(running.wait(seconds + 60))
        cost = (server.processor_so_far() - used) / max(1, found["count"])
    return Sample(found["per_second"], {COST: cost * 1e6, "p50 µs": found["p50"], "p99 µs": found["p99"]})


def run(settings: Settings) -> Outcome:
    contestants = [(who, partial(measure, who, settings.seconds / 2)) for who in servers.ALL]
    return Outcome(
        NAME, "Connect and close",
        f"{CLIENTS} clients (in C, on a core of their own) connect, half-close, read to the end, and connect again.",
        "connections a second", "more", [compete(f"{CLIENTS} at once", contestants, settings.rounds)],
    )  # fmt: skip
