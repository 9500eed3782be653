"""The socket table: the whole command, with very many sockets on the machine."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from functools import partial

from bench.contest import Measure, Outcome, Sample, compete
from bench.programs import Program, require, require_module, require_verb, wirecat
from bench.settings import Settings

NAME = "sockets"
WIRECAT, SS, SS_ALONE, PSUTIL, BARE = (
    "wirecat sockets",
    "ss -tanp",
    "ss -tan (no processes)",
    "psutil",
    "python -I -c pass",
)
_PSUTIL = "import psutil\nfor row in psutil.net_connections('tcp'): print(row)"


@contextlib.contextmanager
def many_sockets(count: int) -> Iterator[None]:
    """``count`` sockets of this process, joined in pairs."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        for _ in range(count // 2):
            stack.enter_context(socket.create_connection(listening.getsockname(), timeout=30))
            stack.enter_context(listening.accept()[0])
        yield


def whole(command: list[str]) -> Sample:
    with Program(command) as program:
        program.wait()
    return Sample((program.ended - program.begun) * 1000, {"processor ms": program.processor_seconds * 1000})


def with_wirecat() -> Sample:
    require_verb("sockets")
    return whole(wirecat("sockets"))


def with_ss(words: str) -> Sample:
    return whole([require("ss"), words])


def with_psutil() -> Sample:
    require_module("psutil")
    return whole([sys.executable, "-c", _PSUTIL])


def run(settings: Settings) -> Outcome:
    contestants: list[tuple[str, Measure]] = [
        (WIRECAT, with_wirecat), (SS, partial(with_ss, "-tanp")), (SS_ALONE, partial(with_ss, "-tan")),
        (PSUTIL, with_psutil), (BARE, partial(whole, [sys.executable, "-I", "-c", "pass"])),
    ]  # fmt: skip
    with many_sockets(settings.sockets):
        group = compete(f"{settings.sockets} sockets", contestants, settings.rounds)
    return Outcome(
        NAME, "The socket table",
        f"{settings.sockets} TCP sockets of one process; the whole command, output to /dev/null.",
        "ms", "less", [group],
    )  # fmt: skip
