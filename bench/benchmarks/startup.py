"""Start-up: from start to exit, whole process, for what a program can say or do at once."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.contest import Measure, Outcome, Sample, Skipped, compete
from bench.programs import BUILD, PATIENCE, PROJECT, environment, require
from bench.settings import Settings

NAME = "startup"
BARE = "python -I -c pass"
WIRECAT, AS_NCAT, NCAT, NC = "wirecat", "wirecat ncat", "ncat", "OpenBSD nc"
VERSION, OPEN, REFUSED = "--version", "-z, the port is open", "connect, refused"

#: The launcher that pip writes.
LAUNCHER = """#!{python}
import sys
from wirecat.__main__ import command
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit(command())
"""


def install(settings: Settings) -> tuple[str, str, str]:
    """The Python and the command of an environment into which pip installed wirecat, and how it was made.

    Without a package index (and in a quick run) it is a launcher as pip writes it, beside this tree.
    """
    folder = BUILD / "installed"
    python, command = folder / "bin" / "python", folder / "bin" / "wirecat"
    if not settings.quick:
        steps = (
            [sys.executable, "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "install", "--quiet", "--no-deps", PROJECT],
        )
        try:
            for step in steps:
                subprocess.run(step, check=True, capture_output=True, timeout=300, env=clean_environment())
            return str(python), str(command), "installed by pip into an environment of its own"
        except (OSError, subprocess.SubprocessError) as error:
            print(f"    pip could not install it: {error}", file=sys.stderr)
    launcher = BUILD / "wirecat"
    BUILD.mkdir(parents=True, exist_ok=True)
    launcher.write_text(LAUNCHER.format(python=sys.executable))
    launcher.chmod(0o755)
    return sys.executable, str(launcher), "by a launcher as pip writes it, beside the source tree"


def clean_environment() -> dict[str, str]:
    """That of this process, without what changes how Python starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def start_time(command: list[str], code: int, starts: int, variables: dict[str, str]) -> Sample:
    """The median of some starts, in milliseconds."""
    times = []
    for _ in range(starts):
        # A wait with a time limit of its own would look in ever longer pauses, and show those: 16 ms, 32 ms.
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=variables
        )
        guard = threading.Timer(PATIENCE, process.kill)
        guard.start()
        process.wait()
        times.append((time.perf_counter() - begun) * 1000)
        guard.cancel()
        if process.returncode != code:
            raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}")
    return Sample(statistics.median(times), {"least ms": min(times)})


@contextlib.contextmanager
def ports() -> Iterator[tuple[str, str]]:
    """A port that is open, and one that refuses."""
    with socket.socket() as listening, socket.socket() as refusing:
        for one in (listening, refusing):
            one.bind(("127.0.0.1", 0))
        listening.listen(4096)  # a start each; nobody accepts them
        yield str(listening.getsockname()[1]), str(refusing.getsockname()[1])


def run(settings: Settings) -> Outcome:
    python, command, how = install(settings)
    variables = clean_environment() if Path(command).parent.name == "bin" else environment()

    def contestant(words: list[str], code: int = 0) -> Measure:
        return partial(_found, words, code, settings.starts, variables)

    bare = contestant([python, "-I", "-c", "pass"])
    with ports() as (open_port, closed_port):
        here, there = ["127.0.0.1", open_port], ["127.0.0.1", closed_port]
        groups = {
            VERSION: [(BARE, bare), (WIRECAT, contestant([command, "--version"])),
                      (NCAT, contestant(["ncat", "--version"]))],
            OPEN: [(BARE, bare), (AS_NCAT, contestant([command, "ncat", "-z", *here])),
                   (NCAT, contestant(["ncat", "-z", *here])), (NC, contestant(["nc.openbsd", "-z", *here]))],
            REFUSED: [(BARE, bare), (WIRECAT, contestant([command, "connect", ":".join(there)], 1)),
                      (AS_NCAT, contestant([command, "ncat", *there], 1)), (NCAT, contestant(["ncat", *there], 1)),
                      (NC, contestant(["nc.openbsd", *there], 1))],
        }  # fmt: skip
        found = [compete(name, contestants, settings.rounds) for name, contestants in groups.items()]
    return Outcome(
        NAME, "From start to exit",
        f"Each turn is the median of {settings.starts} starts, the whole process. wirecat: {how}.",
        "ms", "less", found,
    )  # fmt: skip


def _found(words: list[str], code: int, starts: int, variables: dict[str, str]) -> Sample:
    program = words[0] if "/" in words[0] else require(words[0])
    if words[1:2] == ["ncat"]:
        helped = subprocess.run([program, "ncat", "--help"], capture_output=True, timeout=PATIENCE, env=variables)
        if helped.returncode != 0:
            raise Skipped("wirecat has no verb ncat yet")
    return start_time([program, *words[1:]], code, starts, variables)
