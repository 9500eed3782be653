"""What the tests of the server see of a server in a process of its own: threads, descriptors, memory, processor time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from peers import environment, wirecat_command

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc as Linux has it")

#: The ways to drive a responder in a process of its own.
DRIVES = ["threads", "uvloop", "asyncio"]


def command(drive: str, *arguments: str, descriptors: int | None = None) -> list[str]:
    """The command of a server; ``descriptors`` is how many it may have, and no more."""
    words = wirecat_command("serve", *arguments, "--engine", "threads" if drive == "threads" else "async")
    if descriptors is None:
        return words
    limit = "import os, resource, sys; n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))"
    return [sys.executable, "-c", f"{limit}; os.execv(sys.argv[2], sys.argv[2:])", str(descriptors), *words]


def variables(drive: str, folder: Path) -> dict[str, str]:
    """The environment of a server; for plain asyncio one in which uvloop is hidden."""
    if drive == "uvloop":
        pytest.importorskip("uvloop")
    if drive != "asyncio":
        return environment()
    (folder / "uvloop.py").write_text("raise ImportError('hidden')\n")
    return environment(PYTHONPATH=os.pathsep.join([str(folder), environment()["PYTHONPATH"]]))


class Use(NamedTuple):
    """What a process uses: threads, descriptors, resident memory in kB, processor time in seconds."""

    threads: int
    descriptors: int
    memory: int
    processor: float


def use(pid: int) -> Use:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Use(
        threads=len(os.listdir(f"/proc/{pid}/task")),
        descriptors=len(os.listdir(f"/proc/{pid}/fd")),
        memory=int(status["VmRSS"].split()[0]),
        processor=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
    )
