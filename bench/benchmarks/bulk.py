"""Bulk: a large file from memory through TCP to /dev/null, both ends of each program, and wirecat with "
"another's end."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from subprocess import PIPE

from bench.contest import Measure, Outcome, Sample, compete
from bench.programs import Program, free_port, memory_file, require, require_verb, serving, size_in_words, wirecat
from bench.settings import Settings

NAME = "bulk"
COST = "processor s per GB"
WIRECAT, NCAT, NC, SOCAT, LARGE_SOCAT = "wirecat", "ncat", "OpenBSD nc", "socat", "socat -b 262144"
FROM_WIRECAT, TO_WIRECAT = "wirecat → ncat", "ncat → wirecat"
IPERF, IPERF_ZERO_COPY = "iperf3", "iperf3 -Z"


def receiver(who: str, port: int) -> list[str]:
    """Takes one connection to its end and writes it to standard output."""
    if who == WIRECAT:
        require_verb("listen")
        return wirecat("listen", f"127.0.0.1:{port}")
    if who == NCAT:
        return [require("ncat"), "-l", "--recv-only", "127.0.0.1", str(port)]
    if who == NC:
        return [require("nc.openbsd"), "-l", "127.0.0.1", str(port)]
    return [require("socat"), *_buffer(who), "-u", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", "-"]


def sender(who: str, port: int) -> list[str]:
    """Sends standard input to its end."""
    if who == WIRECAT:
        require_verb("connect")
        return wirecat("connect", f"127.0.0.1:{port}")
    if who == NCAT:
        return [require("ncat"), "--send-only", "127.0.0.1", str(port)]
    if who == NC:
        return [require("nc.openbsd"), "-N", "127.0.0.1", str(port)]
    return [require("socat"), *_buffer(who), "-u", "-", f"TCP:127.0.0.1:{port}"]


def _buffer(who: str) -> list[str]:
    return ["-b", "262144"] if who == LARGE_SOCAT else []


def transfer(source: str, sink: str, path: str, size: int) -> Sample:
    """The time from the sender's start to both ends' end: what a user waits for, starts included."""
    port = free_port()
    with Program(receiver(sink, port)) as receiving:
        receiving.wait_listening(port)
        with Path(path).open("rb") as file, Program(sender(source, port), stdin=file) as sending:
            receiving.wait(300)
            sending.wait(60)
    seconds = max(receiving.ended, sending.ended) - sending.begun
    cost = (sending.processor_seconds + receiving.processor_seconds) / (size / 1e9)
    return Sample(size / 1e6 / seconds, {COST: cost})


def iperf(option: str, size: int) -> Sample:
    """From memory to memory, as iperf3 itself measures it."""
    program, port = require("iperf3"), free_port()
    with serving([program, "-s", "-1", "-B", "127.0.0.1", "-p", str(port)], port, None):
        words = ["-c", "127.0.0.1", "-p", port, "-n", size, "-J", *([option] if option else [])]
        with Program([program, *words], stdout=PIPE) as client:
            found = json.loads(client.wait(300))["end"]
    per_second = found["sum_received"]["bits_per_second"] / 8e6
    used = found["cpu_utilization_percent"]
    seconds = found["sum_received"]["seconds"]
    cost = (used["host_total"] + used["remote_total"]) / 100 * seconds / (size / 1e9)
    return Sample(per_second, {COST: cost})


def run(settings: Settings) -> Outcome:
    size = settings.bulk
    with memory_file(size) as path:
        pairs = {name: (name, name) for name in (WIRECAT, NCAT, NC, SOCAT, LARGE_SOCAT)}
        pairs.update({FROM_WIRECAT: (WIRECAT, NCAT), TO_WIRECAT: (NCAT, WIRECAT)})
        contestants: list[tuple[str, Measure]] = [
            (name, partial(transfer, source, sink, path, size)) for name, (source, sink) in pairs.items()
        ]
        contestants += [(IPERF, partial(iperf, "", size)), (IPERF_ZERO_COPY, partial(iperf, "-Z", size))]
        group = compete("both ends", contestants, settings.rounds)
    return Outcome(
        NAME, "Bulk transfer",
        f"A file of {size_in_words(size)} in memory through TCP on this machine to /dev/null, from the "
        "sender's start to "
        "the end of both, with default options. iperf3 sends from memory to memory, and what it reports itself "
        "is shown.",
        "MB/s", "more", [group],
    )  # fmt: skip
