"""Relay: from one TCP connection to another, between ends that cost little and between ordinary ones."""

from __future__ import annotations

import json
from functools import partial
from subprocess import PIPE

from bench.contest import Outcome, Sample, compete
from bench.programs import (
    Program,
    free_port,
    memory_file,
    require,
    require_verb,
    serving,
    size_in_words,
    wirecat,
    yardstick,
)
from bench.settings import Settings

NAME = "relay"
COST = "processor s per GB"
WIRECAT, SOCAT, LARGE_SOCAT, NCAT = "wirecat relay", "socat", "socat -b 262144", "ncat -l --sh-exec ncat"
CHEAP, ORDINARY = "ends that cost little", "ordinary ends"
#: How the source sends and the sink takes.
ENDS = {CHEAP: ("sendfile", "discard"), ORDINARY: ("write", "read")}


def relay(who: str, port: int, target: int) -> list[str]:
    """Takes a connection on ``port`` and joins it to one to ``target``."""
    if who == WIRECAT:
        require_verb("relay")
        return wirecat("relay", f"127.0.0.1:{port}", f"127.0.0.1:{target}")
    if who == NCAT:
        program = require("ncat")
        return [program, "-l", "127.0.0.1", str(port), "--sh-exec", f"exec {program} 127.0.0.1 {target}"]
    size = ["-b", "262144"] if who == LARGE_SOCAT else []
    return [require("socat"), *size, f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", f"TCP:127.0.0.1:{target}"]


def measure(who: str, ends: str, path: str, size: int) -> Sample:
    how_sent, how_taken = ENDS[ends]
    bulk, port, target = yardstick("bulk"), free_port(), free_port()
    with Program([bulk, "sink", target, how_taken], stdout=PIPE) as sink:
        sink.wait_listening(target)
        with serving(relay(who, port, target), port, None) as middle:
            with Program([bulk, "source", port, how_sent, path, size]) as source:
                found = json.loads(sink.wait(300))
                source.wait(60)
            middle.wait(60)
    if found["bytes"] != size:
        raise RuntimeError(f"{found['bytes']} of {size} bytes arrived")
    return Sample(size / 1e6 / found["seconds"], {COST: middle.processor_seconds / (size / 1e9)})


def run(settings: Settings) -> Outcome:
    with memory_file(settings.bulk) as path:
        groups = [
            compete(
                ends,
                [
                    (who, partial(measure, who, ends, path, settings.bulk))
                    for who in (WIRECAT, SOCAT, LARGE_SOCAT, NCAT)
                ],
                settings.rounds,
            )
            for ends in ENDS
        ]
    return Outcome(
        NAME, "Relay",
        f"{size_in_words(settings.bulk)} from a source in C through the relay to a sink in C, timed by the "
        "sink from the "
        "first byte to the end. Ends that cost little: sendfile, and a sink that lets the kernel discard; "
        "ordinary ends: "
        "both copy. The processor time is the relay's alone.",
        "MB/s", "more", groups,
    )  # fmt: skip
