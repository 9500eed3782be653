"""Programs under measurement: started on a core of their own, waited for, their processor time and memory read.

Every process that is started here is seen to its end, by its own id.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from bench.contest import Skipped

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build" / "bench"
PEERS = PROJECT / "bench" / "peers"
PATIENCE = 30.0

_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
#: The core of what is measured, and that of the load; None where there are not two of them.
SERVER_CORE = _CORES[0] if len(_CORES) > 1 else None
LOAD_CORE = _CORES[1] if len(_CORES) > 1 else None


def environment() -> dict[str, str]:
    """That of this process, with wirecat from this tree where it is not installed."""
    variables = dict(os.environ)
    source = str(PROJECT / "src")
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, (source, variables.get("PYTHONPATH"))))
    for name in ("PYTHONWARNINGS", "PYTHONDEVMODE"):  # they cost time that no user pays
        variables.pop(name, None)
    return variables


def wirecat(*words: object) -> list[str]:
    """The command line of wirecat."""
    return [sys.executable, "-m", "wirecat", *map(str, words)]


def plain_wirecat(*words: object) -> list[str]:
    """The same, without the extra [fast]."""
    return [sys.executable, str(PEERS / "plain_wirecat.py"), *map(str, words)]


_help: dict[str, str] = {}


def require_verb(verb: str, option: str = "") -> None:
    """Raises Skipped where wirecat has not that verb, or the verb not that option."""
    if verb not in _help:
        ended = subprocess.run(
            wirecat(verb, "--help"), capture_output=True, text=True, timeout=PATIENCE, env=environment()
        )
        _help[verb] = ended.stdout if ended.returncode == 0 else ""
    if not _help[verb]:
        raise Skipped(f"wirecat has no verb {verb} yet")
    if option and option not in _help[verb]:
        raise Skipped(f"wirecat {verb} has no {option} yet")


def require(program: str) -> str:
    """The path of a program; raises Skipped where it is not installed."""
    path = shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))
    if path is None:
        raise Skipped(f"{program} is not installed")
    return path


def require_module(name: str) -> None:
    """Raises Skipped where this Python has no such module."""
    import importlib.util

    if importlib.util.find_spec(name) is None:
        raise Skipped(f"{name} is not installed")


def yardstick(name: str) -> str:
    """The path of a program in C from ``yardsticks/``, compiled where need be. Raises Skipped without a compiler."""
    return _compiled(name, name)


def library(name: str) -> str:
    """As ``yardstick``, for what is loaded into another program (LD_PRELOAD)."""
    return _compiled(name, f"{name}.so", "-shared", "-fPIC")


def _compiled(name: str, result: str, *options: str) -> str:
    source = PROJECT / "bench" / "yardsticks" / f"{name}.c"
    made = BUILD / result
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        compiler = require("gcc")
        BUILD.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", *options, "-o", made, source, "-ldl"], check=True, timeout=PATIENCE)
    return str(made)


def size_in_words(count: int) -> str:
    return f"{count / (1 << 30):g} GiB" if count >= 1 << 30 else f"{count >> 20} MiB"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody listens on a TCP port, without a connection that would be taken for the first client."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), Path(table).open() as rows:
            for row in rows:
                fields = row.split()
                if fields[3] == "0A" and fields[1].endswith(wanted):
                    return True
    return False


class Program:
    """A process; use it in a ``with`` block. ``core``: the one it may run on (None: all).

    ``begun`` and ``ended`` are moments of ``time.perf_counter``; ``ended`` and ``processor_seconds`` (its own and its
    children's) are there after ``wait``.
    """

    def __init__(
        self,
        command: Sequence[object],
        *,
        core: int | None = None,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.DEVNULL,
    ) -> None:
        self.command = [str(word) for word in command]
        self._core = core
        self._stdin = stdin
        self._stdout = stdout
        self.begun = self.ended = 0.0
        self.processor_seconds = 0.0
        self.code: int | None = None

    def __enter__(self) -> Program:
        self._errors = tempfile.TemporaryFile()
        self._output = tempfile.TemporaryFile() if self._stdout == subprocess.PIPE else None
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            self.command,
            stdin=self._stdin,
            stdout=self._output or self._stdout,
            stderr=self._errors,
            env=environment(),
            preexec_fn=None if self._core is None else self._pin,
        )
        return self

    def _pin(self) -> None:
        os.sched_setaffinity(0, {self._core})

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout: float = PATIENCE, *, codes: tuple[int, ...] = (0,)) -> str:
        """Wait for its end; what it printed, where stdout is a pipe. RuntimeError for another exit code."""
        guard = threading.Timer(timeout, self._kill)
        guard.start()
        try:
            self._reap()
        finally:
            guard.cancel()
        if self.code not in codes:
            raise RuntimeError(f"{' '.join(self.command[:6])} …: exit {self.code}: {self.said()}")
        if self._output is None:
            return ""
        self._output.seek(0)
        return self._output.read().decode()

    def _reap(self) -> None:
        if self.code is not None:
            return
        _, status, used = os.wait4(self.pid, 0)
        self.ended = time.perf_counter()
        self.processor_seconds = used.ru_utime + used.ru_stime
        self.code = self._process.returncode = os.waitstatus_to_exitcode(status)

    def wait_listening(self, port: int) -> None:
        """Wait until it (or a child) listens. RuntimeError when it ends before, or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not listens(port):
            if self.ended_by_itself():
                self._reap()
                raise RuntimeError(f"{' '.join(self.command[:6])} … ended: {self.said()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(self.command[:6])} … does not listen on {port}")
            time.sleep(0.005)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ended_by_itself(self) -> bool:
        """Whether it has ended; it is not reaped by that."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def said(self) -> str:
        """The last of what it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-500:]

    def processor_so_far(self) -> float:
        """Processor seconds that it has used up to now, its threads that have ended included.

        The number of the clock is what clock_getcpuclockid(3) gives for a process.
        """
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self) -> int:
        """Bytes that are its own alone (smaps_rollup of proc(5))."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1024

    def __exit__(self, *ignored: object) -> None:
        try:
            if self.code is None:
                os.kill(self.pid, signal.SIGTERM)  # Popen's own way would reap it, and its times would be lost
                guard = threading.Timer(10, self._kill)
                guard.start()
                self._reap()
                guard.cancel()
        finally:
            self._errors.close()
            if self._output is not None:
                self._output.close()


@contextlib.contextmanager
def serving(command: Sequence[object], port: int, core: int | None = SERVER_CORE) -> Iterator[Program]:
    """A server that listens on ``port`` for the length of a block."""
    with Program(command, core=core) as server:
        server.wait_listening(port)
        yield server


@contextlib.contextmanager
def memory_file(size: int) -> Iterator[str]:
    """The path of a file of ``size`` bytes that is in memory and nowhere else; each opening begins at its start."""
    block = b"".join(b"%015d\n" % number for number in range(1 << 16))
    descriptor = os.memfd_create("bench")
    try:
        left = size
        while left:
            left -= os.write(descriptor, block[:left])
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)
