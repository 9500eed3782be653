"""On what it was measured: the machine, the system, and the versions of all that took part."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from bench.contest import Skipped
from bench.programs import require

_VERSIONS = {
    "ncat": ["ncat", "--version"], "socat": ["socat", "-V"], "iperf3": ["iperf3", "--version"],
    "ss": ["ss", "-V"], "gcc": ["gcc", "--version"],
}  # fmt: skip


def describe() -> dict[str, str]:
    """What the page tells of the machine, in the order in which it tells it."""
    found = {
        "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "load at the start": "{:.2f}, {:.2f}, {:.2f} (1, 5 and 15 minutes)".format(*os.getloadavg()),
        "Python": f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})".split(" (/")[0],
        "wirecat": _own_version(),
    }
    for name in ("uvloop", "psutil"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    for name, command in _VERSIONS.items():
        found[name] = _version(command)
    found["OpenBSD nc"] = _package("netcat-openbsd")
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    match = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return match[1] if match else platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB"


def _own_version() -> str:
    from bench.programs import environment, wirecat

    ended = subprocess.run(wirecat("--version"), capture_output=True, text=True, timeout=30, env=environment())
    return ended.stdout.strip().removeprefix("wirecat ")


def _version(command: list[str]) -> str:
    try:
        program = require(command[0])
    except Skipped:
        return "not installed"
    ended = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=30)
    match = re.search(r"\d+\.\d+[\w.\-]*", ended.stdout + ended.stderr)
    return match[0] if match else "of an unknown version"


def _package(name: str) -> str:
    try:
        query = [require("dpkg-query"), "--show", "--showformat=${Version}", name]
    except Skipped:
        return "of an unknown version"
    ended = subprocess.run(query, capture_output=True, text=True, timeout=30)
    return ended.stdout.strip() or "not installed"
