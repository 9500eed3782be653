"""Echo: how many round trips of 64 bytes a second a server on one core makes for 50, 1,000 and 10,000 clients."""

from __future__ import annotations

import json
from functools import partial
from subprocess import PIPE

from bench import servers
from bench.contest import Group, Outcome, Sample, compete
from bench.programs import LOAD_CORE, SERVER_CORE, Program, free_port, serving, yardstick
from bench.settings import Settings

NAME = "echo"
SIZE = 64
#: More threads than this are no use to anybody.
MOST_THREADS = 1000
FREE = "50 clients, the server on all cores"


def load(server: list[str], port: int, clients: int, seconds: float, core: int | None) -> Sample:
    """One run of the load in C against a server."""
    with serving(server, port, core) as program:
        used = program.processor_so_far()
        with Program([yardstick("load"), "echo", port, clients, seconds, SIZE], core=LOAD_CORE, stdout=PIPE) as running:
            found = json.loads(running.wait(seconds + 120))
        cost = (program.processor_so_far() - used) / max(1, found["count"])
    return Sample(found["per_second"], {"p50 µs": found["p50"], "p99 µs": found["p99"], "server µs each": cost * 1e6})


def measure(who: str, clients: int, seconds: float, core: int | None) -> Sample:
    port = free_port()
    return load(servers.command(who, port), port, clients, seconds, core)


def run(settings: Settings) -> Outcome:
    groups: list[Group] = []
    for clients in settings.clients:
        names = [who for who in servers.ALL if clients <= MOST_THREADS or who not in servers.WITH_THREADS]
        contestants = [(who, partial(measure, who, clients, settings.seconds, SERVER_CORE)) for who in names]
        groups.append(compete(f"{clients} clients", contestants, settings.rounds))
    free = [(who, partial(measure, who, 50, settings.seconds, None)) for who in servers.WITH_THREADS]
    groups.append(compete(FREE, free, settings.rounds))
    return Outcome(
        NAME, "Echo of 64 bytes",
        "Each client sends 64 bytes, waits for them, and sends again. The server has one core, the load (in C) "
        "another; "
        "in the last group the server may use both. wirecat runs with its defaults: limits, accounting, access "
        "rules and "
        "events are on.",
        "round trips a second", "more", groups,
    )  # fmt: skip
