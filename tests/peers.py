"""Real programs on the other end: find them, start them, talk to them, and end them, whatever a test does.

    with Program(wirecat_command("serve", "echo", "127.0.0.1:0")) as server:
        port = server.wait_for("stderr", rb"127\\.0\\.0\\.1:(\\d+)")[1]
        with Program([peer("ncat"), "127.0.0.1", port.decode()]) as client:
            client.send(b"Hallo\\n")
            client.wait_for("stdout", b"Hallo\\n")
            client.close_stdin()
            assert client.wait() == 0

Nothing here sleeps or polls: `wait_for` is woken by each piece of output. A program still running when its
block ends is ended by its own process id, and when the block ends by an exception, a failed assertion
included, what the program said so far is shown with it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src"

#: Each peer that a test may ask for, and the Debian package that has it. The two programs that call
#: themselves `nc` differ, so each goes by its own name.
PEERS = {
    "capinfos": "tshark",
    "chromium": "chromium",
    "curl": "curl",
    "ip": "iproute2",
    "ipset": "ipset",
    "iptables": "iptables",
    "miniupnpd": "miniupnpd",
    "danted": "dante-server",
    "dbus-daemon": "dbus",
    "firewall-cmd": "firewalld",
    "firewalld": "firewalld",
    "microsocks": "microsocks",
    "nc.openbsd": "netcat-openbsd",
    "ncat": "ncat",
    "nft": "nftables",
    "openssl": "openssl",
    "fuser": "psmisc",
    "logger": "bsdutils",
    "setpriv": "util-linux",
    "socat": "socat",
    "ss": "iproute2",
    "strace": "strace",
    "tcpdump": "tcpdump",
    "telnet": "telnet",
    "tinyproxy": "tinyproxy",
    "tmux": "tmux",
    "ufw": "ufw",
    "tshark": "tshark",
}

#: Programs for the administrator lie where the path of an ordinary user may not lead.
SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")

#: Seconds to wait for something that takes milliseconds, on a machine where much else runs.
PATIENCE = 20.0

StreamName = Literal["stdout", "stderr"]
Pattern = bytes | re.Pattern[bytes]


def find_peer(name: str) -> str | None:
    """The path of a program, or None where it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS))
    return shutil.which(name, path=path)


def peer(name: str) -> str:
    """The path of a real peer; without it the test is skipped, or failed with WIRECAT_REQUIRE_PEERS=1.

    A name that is not in PEERS raises KeyError, so that no test waits for a program which nobody installs.
    """
    package = PEERS[name]
    found = find_peer(name)
    if found is not None:
        return found
    if os.environ.get("WIRECAT_REQUIRE_PEERS") == "1":
        pytest.fail(f"{name} is not installed (Debian package {package}) and WIRECAT_REQUIRE_PEERS is 1")
    pytest.skip(f"{name} is not installed")


def wirecat_command(*arguments: str) -> list[str]:
    """The command line that runs wirecat from this tree with the Python that runs the tests."""
    return [sys.executable, "-m", "wirecat", *arguments]


def environment(**changes: str | None) -> dict[str, str]:
    """The environment for a program under test: wirecat from this tree, and warnings are errors there too.

    A change of None takes a variable out, as `environment(PYTHONWARNINGS=None)` for a test that measures the
    start.
    """
    variables: dict[str, str | None] = dict(os.environ)
    paths = [str(SOURCE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    variables["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(path for path in paths if path))
    variables["PYTHONWARNINGS"] = "error"
    # A reader that takes them for a wish of the user would colour its output, or break its lines elsewhere.
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"):
        variables.pop(name, None)
    variables.update(changes)
    return {name: value for name, value in variables.items() if value is not None}


class Program:
    """A process whose output is collected as it comes; use it in a `with` block.

    `command` is a list of words. `env` is the whole environment (default: `environment()`), `cwd` the folder
    it starts in. Each of `stdin`, `stdout`, `stderr` is a pipe unless another file is given, as to
    `subprocess.Popen`; what goes elsewhere is not collected. `check_warnings=False` allows it to leave a
    ResourceWarning behind, which is otherwise an error at the end of the block.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stdin: int | IO[bytes] | None = subprocess.PIPE,
        stdout: int | IO[bytes] | None = subprocess.PIPE,
        stderr: int | IO[bytes] | None = subprocess.PIPE,
        check_warnings: bool = True,
    ) -> None:
        self.command = [str(word) for word in command]
        self._env = environment() if env is None else dict(env)
        self._cwd = cwd
        self._stdin = stdin
        self._stdout = stdout
        self._stderr = stderr
        self._check_warnings = check_warnings
        #: Seconds that it has to end when it is asked to, before it is ended by force.
        self.grace = 5.0
        self._changed = threading.Condition()
        self._output: dict[str, bytearray] = {}
        self._open: set[str] = set()
        self._readers: list[threading.Thread] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Program:
        self._process = process = subprocess.Popen(
            self.command,
            bufsize=0,
            stdin=self._stdin,
            stdout=self._stdout,
            stderr=self._stderr,
            env=self._env,
            cwd=self._cwd,
        )
        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            if pipe is not None:
                self._output[name] = bytearray()
                self._open.add(name)
                reader = threading.Thread(
                    target=self._collect, args=(name, pipe), name=f"{name} of {process.pid}", daemon=True
                )
                self._readers.append(reader)
                reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
        if error is not None:
            error.add_note(self.describe())
        elif self._check_warnings and b"ResourceWarning" in self.stderr:
            raise AssertionError(f"it left something open\n{self.describe()}")

    def _collect(self, name: str, pipe: IO[bytes]) -> None:
        """Read one stream to its end, in a thread of its own, which also closes it."""
        with pipe:
            while data := pipe.read(65536):
                with self._changed:
                    self._output[name] += data
                    self._changed.notify_all()
        with self._changed:
            self._open.discard(name)
            self._changed.notify_all()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process itself; RuntimeError before the block has begun."""
        if self._process is None:
            raise RuntimeError("not started: use it in a with block")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> bytes:
        """All that has come from its standard output so far."""
        return self._said("stdout")

    @property
    def stderr(self) -> bytes:
        """All that has come from its standard error so far."""
        return self._said("stderr")

    def _said(self, name: str) -> bytes:
        with self._changed:
            return bytes(self._output.get(name, b""))

    def wait_for(
        self, stream: StreamName, pattern: Pattern, timeout: float = PATIENCE, *, since: int = 0
    ) -> re.Match[bytes]:
        """Wait until `pattern` (a regular expression) is in the output; return the match.

        `since` is where in the stream to begin: `match.end()` of an earlier one finds the next.
        AssertionError when the stream ends without it, or after `timeout` seconds.
        """
        looked_for = re.compile(pattern)
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                output = self._output[stream]
                # A copy: a match on a bytearray would keep it from growing.
                if match := looked_for.search(bytes(output), since):
                    return match
                if stream not in self._open:
                    why = f"{stream} ended"
                    break
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    why = f"not in {timeout:g} s"
                    break
                self._changed.wait(remaining)
        raise AssertionError(f"{why}, without {looked_for.pattern!r} in {stream}")

    def send(self, data: bytes) -> None:
        """Write to its standard input, at once and all of it; BrokenPipeError when it reads no more."""
        pipe = self.process.stdin
        assert pipe is not None, "its standard input is no pipe"
        view = memoryview(data)
        while view:
            # The pipe is unbuffered, and such a file may take a part.
            view = view[pipe.write(view) :]

    def close_stdin(self) -> None:
        """Give it the end of its standard input; a second time does nothing."""
        pipe = self.process.stdin
        if pipe is not None:
            pipe.close()

    def signal(self, number: int) -> None:
        """Send it a signal; does nothing when it has ended."""
        self.process.send_signal(number)

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self.signal(signal.SIGINT)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end and the rest of its output; return its exit code, negative for a signal's number.

        AssertionError when it still runs after `timeout` seconds.
        """
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {timeout:g} s") from None
        self._wait_for_output(timeout)
        return code

    def _wait_for_output(self, timeout: float) -> None:
        """Wait for the ends of its streams, but not for ever: a child of its own may hold them open."""
        for reader in self._readers:
            reader.join(timeout)

    def end(self) -> None:
        """End it if it still runs: asked first, then by force; only ever this process, by its own id."""
        process = self.process
        self.close_stdin()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self.grace)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE)
        self._wait_for_output(2)

    def describe(self) -> str:
        """Its command, how it ended and what it said, for the report of a failed test."""
        code = self.process.poll()
        state = "still running" if code is None else f"exit {code}"
        parts = [f"--- {shlex.join(self.command)} (process {self.pid}, {state})"]
        for name in self._output:
            said = self._said(name)
            shown = said[-8000:].decode(errors="backslashreplace").rstrip("\n")
            cut = f", the last 8000 of {len(said)} bytes" if len(said) > 8000 else ""
            parts.append(f"--- its {name}{cut}:\n{shown}" if said else f"--- its {name}: nothing")
        return "\n".join(parts)


def wirecat(*arguments: str) -> Program:
    """A Program that runs wirecat from this tree, ready for a `with` block."""
    return Program(wirecat_command(*arguments))
