"""Memory: how many bytes of its own a server needs for a connection that has spoken once and is idle."""

from __future__ import annotations

import contextlib
import socket
from functools import partial

from bench import servers
from bench.contest import Outcome, Sample, compete
from bench.programs import free_port, serving
from bench.settings import Settings

NAME = "memory"
#: Connections that are made, and stay, before anything is measured: what a server needs once is there by then.
FIRST = 50


def measure(who: str, connections: int) -> Sample:
    port = free_port()
    with serving(servers.command(who, port), port) as server, contextlib.ExitStack() as stack:

        def connect(count: int) -> None:
            for _ in range(count):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
                client.sendall(b"x")
                assert client.recv(1) == b"x"

        connect(FIRST)
        before = server.memory()
        connect(connections)
        return Sample((server.memory() - before) / connections)


def run(settings: Settings) -> Outcome:
    loops = [who for who in servers.ALL if who not in servers.WITH_THREADS]
    groups = [
        compete(f"{count} idle connections", [(who, partial(measure, who, count)) for who in names], settings.rounds)
        for count, names in ((settings.idle_loop, loops), (settings.idle_threads, servers.WITH_THREADS))
    ]
    return Outcome(
        NAME, "Memory for an idle connection",
        "Private memory of the server's process (Private_* in /proc/PID/smaps_rollup) with and without the "
        "connections, "
        "each of which has echoed one byte. What the kernel needs for a socket is the same for all, and not in it.",
        "bytes a connection", "less", groups,
    )  # fmt: skip
