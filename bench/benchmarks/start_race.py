"""The start race: a listener and its client, started one right after the other, as a script does it."""

from __future__ import annotations

import contextlib
import os
import select
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial

from bench.benchmarks.startup import BARE, clean_environment, install, start_time
from bench.contest import Measure, Outcome, Sample, compete
from bench.programs import PATIENCE, environment, free_port, library, require
from bench.settings import Settings

NAME = "start_race"
READY, WINS = "from start to listen(2), and to the client's connect(2)", "clients that connect"
#: What listens: its words, the call that opens the port, and its client's words.
KINDS = {
    "ncat -l": ("ncat -l {host} {port}", "listen", "ncat {host} {port}"),
    "ncat -lk": ("ncat -lk {host} {port}", "listen", "ncat {host} {port}"),
    "ncat -l --exec": ("ncat -l --exec /bin/cat {host} {port}", "listen", "ncat {host} {port}"),
    "ncat -l --sh-exec": ("ncat -l --sh-exec cat {host} {port}", "listen", "ncat {host} {port}"),
    "ncat -l --ssl": ("ncat -l --ssl {host} {port}", "listen", "ncat --ssl {host} {port}"),
    "ncat -l --udp": ("ncat -l --udp {host} {port}", "bind", "ncat --udp {host} {port}"),
    "ncat -l --proxy-type http": ("ncat -l --proxy-type http {host} {port}", "listen", "ncat {host} {port}"),
    "listen": ("listen {host}:{port}", "listen", "connect {host}:{port}"),
    "serve echo": ("serve echo {host}:{port}", "listen", "connect {host}:{port}"),
}
CLIENTS = {
    "client: ncat": "ncat {host} {port}",
    "client: ncat -z": "ncat -z {host} {port}",
    "client: connect": "connect {host}:{port}",
}
WITHOUT_RETRY = "ncat -l, client -z"
HOST = "127.0.0.1"
LONGEST = 2.0  # seconds for the end of a client, and for its datagram


def words(text: str, port: int) -> list[str]:
    return text.format(host=HOST, port=port).split()


@contextlib.contextmanager
def started(command: list[str], variables: dict[str, str], **streams: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended at the end of the block."""
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.PIPE,
        **streams,  # type: ignore[call-overload]
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.stdout.close()


def time_of_call(command: list[str], call: str, variables: dict[str, str]) -> float:
    """Milliseconds from the start of a program to its first ``call``."""
    reading, writing = os.pipe()
    told = {**variables, "LD_PRELOAD": library("calls"), "BENCH_CALLS": str(writing)}
    begun = time.monotonic_ns()
    with os.fdopen(reading, "rb") as lines:
        with started(command, told, pass_fds=(writing,)) as process:
            os.close(writing)
            guard = threading.Timer(PATIENCE, process.kill)
            guard.start()
            for line in lines:
                name, when = line.split()
                if name.decode() == call:
                    guard.cancel()
                    return (int(when) - begun) / 1e6
    raise RuntimeError(f"{' '.join(command)}: it ended without {call}(2)")


def ready(command: str, text: str, call: str, starts: int, variables: dict[str, str]) -> Sample:
    """The median of some starts."""
    times = [time_of_call([command, *words(text, free_port())], call, variables) for _ in range(starts)]
    return Sample(statistics.median(times), {"least ms": min(times)})


def connects(command: str, listener: str, client: str, variables: dict[str, str]) -> bool:
    """Whether a client that is started right after its listener connects. Over UDP, whether its datagram is received."""
    port = free_port()
    with started([command, *words(listener, port)], variables) as serving:
        talking = subprocess.Popen(
            [command, *words(client, port)], env=variables, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            # The end of the input ends a client that has connected.
            said = talking.communicate(b"hello\n", timeout=LONGEST)[1]
        except subprocess.TimeoutExpired:  # connected, and the server goes on
            talking.kill()
            talking.communicate()
            return True
        if "--udp" in listener:
            assert serving.stdout is not None
            return bool(select.select([serving.stdout], [], [], LONGEST)[0])
        return talking.returncode == 0 and not said


def wins(command: str, listener: str, client: str, pairs: int, variables: dict[str, str]) -> Sample:
    """How many clients of some connect, in percent."""
    won = sum(connects(command, listener, client, variables) for _ in range(pairs))
    return Sample(100 * won / pairs)


def run(settings: Settings) -> Outcome:
    require("gcc")
    python, command, how = install(settings)
    variables = clean_environment() if how.startswith("installed") else environment()
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    pairs = 1 if settings.quick else 40

    def until(text: str, call: str) -> Measure:
        return partial(ready, command, text, call, settings.starts, variables)

    times: list[tuple[str, Measure]] = [
        (BARE, partial(start_time, [python, "-I", "-c", "pass"], 0, settings.starts, variables)),
        *((kind, until(listener, call)) for kind, (listener, call, _) in KINDS.items()),
    ]
    times += [(kind, until(client, "connect")) for kind, client in CLIENTS.items()]
    races: list[tuple[str, Measure]] = [
        (kind, partial(wins, command, listener, client, pairs, variables))
        for kind, (listener, _, client) in KINDS.items()
    ]
    listener, client = KINDS["ncat -l"][0], CLIENTS["client: ncat -z"]
    races.append((WITHOUT_RETRY, partial(wins, command, listener, client, pairs, variables)))
    found = [compete(READY, times, settings.rounds), compete(WINS, races, settings.rounds)]
    return Outcome(
        NAME, "A listener and its client, started together",
        f"First: milliseconds from the start of the program to the system call that opens its port, or that connects, each the "
        f"median of {settings.starts} starts; for bare Python the whole process. Second: of {pairs} pairs a turn, started one "
        f"right after the other, how many clients connect, in percent; the clients try a refusal by this machine again for "
        f"25 ms, but for -z. wirecat: {how}.",
        "ms, %", "less", found,
    )  # fmt: skip
