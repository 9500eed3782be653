"""A worker as its supervisor sees it: a process, the channel to it, and how it ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading

from wirecat.errors import UsageError
from wirecat.server.channel import Channel
from wirecat.system.process_end import process_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from wirecat.endpoints.listener import Listener

MARK = "WIRECAT_WORKER"  # a name in the program of a worker, by which it is known as one
END_TIME = 5.0  # seconds that a process gets to end once its channel has
_LOOK = 1.0  # seconds between two looks at whether it is there: a child of its own may hold the channel open

#: The whole of what a worker is told on its command line; where to find wirecat comes with the channel's first line.
_START = (
    "import json, os, sys\n"
    f"{MARK} = True\n"
    "line = b''\n"
    "while not line.endswith(b'\\n'): line += os.read(int(sys.argv[1]), 1) or sys.exit(1)\n"
    "sys.path[:] = json.loads(line)\n"
    "from wirecat.server.worker import main; main()"
)


class WorkerProcess:
    """Starts the process of worker ``number``, which inherits ``listener``. Raises OSError where none can be started."""

    def __init__(self, number: int, listener: Listener) -> None:
        if not sys.executable:
            raise UsageError("workers need a Python to run with, and this program does not know its own", step="serve")
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _spawn(theirs, listener)
            ours.sendall(json.dumps(sys.path).encode() + b"\n")
        except BrokenPipeError:
            pass  # it has died, which the channel's end tells
        except BaseException:
            ours.close()
            raise
        self.channel = Channel(ours)
        self.pid = self._process.pid
        self.name = f"worker {number} (process {self._process.pid})"

    def messages(self) -> Iterator[dict[str, Any]]:
        """What it says, to its end. Raises ValueError for what is no message."""
        while (come := self.channel.receive(_LOOK)) is not None:
            said = False
            for message in come:
                said = True
                yield message
            if not said and self._process.poll() is not None:
                return

    @property
    def is_stopped(self) -> bool:
        """Whether a signal has stopped it (SIGSTOP); False where the system cannot tell that without changing it."""
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return False
        try:
            state = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # it has ended
            return False
        return state is not None and state.si_code == os.CLD_STOPPED

    def kill(self) -> None:
        """End it by force, if it has not ended."""
        self._process.kill()

    def end(self) -> str:
        """See it to its end, by force where it does not come to it; how it ended, in words."""
        self.channel.end()
        try:
            code = self._process.wait(END_TIME)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self.channel.close()
        return process_end(code)


class Slot:
    """The place of one worker, with a listener of its own; ``process`` is the one that has it now."""

    def __init__(self, number: int, listener: Listener) -> None:
        self.number = number
        self.listener = listener
        self.process: WorkerProcess | None = None
        self.thread: threading.Thread | None = None
        self.ready = self.quiet = self.done = False
        self.lives = 0
        self.asked_at: float | None = None  # since when it owes an answer (monotonic),
        self.silent = False  # and whether that was reported
        self.fault = ""

    def send(self, type: str, **fields: object) -> None:
        """Say something to the worker, if one is there to be told."""
        process = self.process
        if process is not None:
            process.channel.send(type, **fields)


def _spawn(theirs: socket.socket, listener: Listener) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C and SIGTERM do not reach until it ignores them: they are for the supervisor, and sent
    to all of a terminal's or a service's processes."""
    command = [sys.executable, *(["-I"] if sys.flags.isolated else []), "-c", _START, str(theirs.fileno())]
    inherited = (theirs.fileno(), *(each.fileno() for each in listener.sockets))
    # A child inherits which signals are blocked.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=inherited)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
