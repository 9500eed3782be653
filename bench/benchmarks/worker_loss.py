"""Worker loss: how many of 200 queued clients are reset when one of two worker processes of a server is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from functools import partial
from pathlib import Path

from bench.contest import Outcome, Sample, compete
from bench.programs import free_port, require_verb, serving, wirecat
from bench.settings import Settings

NAME = "worker_loss"
WIRECAT = "wirecat serve --workers 2"
CLIENTS = 200


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def measure() -> Sample:
    """Both workers stand still while the clients connect, so that all of them lie in the two queues."""
    require_verb("serve", "--workers")
    port = free_port()
    command = wirecat("serve", "echo", f"127.0.0.1:{port}", "--engine", "async", "--workers", 2)
    with serving(command, port, None) as server, contextlib.ExitStack() as stack:
        workers = children(server.pid)
        if len(workers) != 2:
            raise RuntimeError(f"{len(workers)} workers in place of 2")
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        stack.callback(_go_on, workers)
        clients = []
        for _ in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            client.sendall(b"x")
            clients.append(client)
        os.kill(workers[0], signal.SIGKILL)
        _go_on(workers[1:])
        return Sample(sum(not _answered(client) for client in clients))


def _go_on(workers: list[int]) -> None:
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)


def _answered(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b"x"
    except OSError:
        return False


def run(settings: Settings) -> Outcome:
    return Outcome(
        NAME, "Clients lost with a worker",
        f"{CLIENTS} clients are queued at two workers; one of the two is killed. How many get no answer.",
        "clients", "less", [compete(f"{CLIENTS} queued", [(WIRECAT, partial(measure))], settings.rounds)],
    )  # fmt: skip
