"""A program on a terminal of its own: type, press keys, wait for what it shows.

    with Terminal(wirecat_command("connect", "--ask", "12345")) as terminal:
        terminal.wait_for(b"> ")
        terminal.type("Hallo\\r")

The program gets a new session with a pseudo terminal as its controlling one, so that Ctrl-C, Ctrl-D and line editing
are the kernel's and readline's own. ``Screen`` shows the same through tmux: what a person sees in the end.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from peers import PATIENCE, environment, peer

#: Takes the terminal on descriptor 0 as the controlling one of the new session, and becomes the program.
BECOME = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"

CTRL_C, CTRL_D, CTRL_Z, ENTER, UP = "\x03", "\x04", "\x1a", "\r", "\x1b[A"


class Terminal:
    """A program on a pseudo terminal; use it in a `with` block.

    ``columns`` and ``lines`` are its size. ``stdin``, ``stdout`` and ``stderr`` are the terminal unless another file is
    given, as to `subprocess.Popen`. ``variables`` change the program's environment.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        stdout: int | None = None,
        stderr: int | None = None,
        **variables: str | None,
    ) -> None:
        self.command = list(command)
        self._size = (lines, columns)
        self._stdout = stdout
        self._stderr = stderr
        self._env = environment(**{"TERM": "xterm", "INPUTRC": os.devnull, **variables})
        self._changed = threading.Condition()
        self._shown = bytearray()
        self._open = True

    def __enter__(self) -> Terminal:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self._size, 0, 0))
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BECOME, *self.command],
                stdin=slave,
                stdout=slave if self._stdout is None else self._stdout,
                stderr=slave if self._stderr is None else self._stderr,
                start_new_session=True,
                env=self._env,
            )
        finally:
            os.close(slave)
        self._reader = threading.Thread(target=self._collect, name=f"terminal of {self.process.pid}", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(PATIENCE)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self._reader.join(PATIENCE)
        os.close(self._master)
        if error is not None:
            error.add_note(
                f"--- {shlex.join(self.command)}: exit {self.process.returncode}\n--- its terminal:\n{self.shown!r}"
            )

    def _collect(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # EIO: the last one who had the terminal open has closed it
                data = b""
            with self._changed:
                self._shown += data
                self._open = bool(data)
                self._changed.notify_all()
            if not data:
                return

    @property
    def shown(self) -> bytes:
        """All that was written to the terminal so far, the echo of what was typed included."""
        with self._changed:
            return bytes(self._shown)

    def wait_for(self, pattern: bytes, *, since: int = 0, timeout: float = PATIENCE) -> re.Match[bytes]:
        """Wait until a regular expression is found behind the byte ``since``."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                match = re.compile(pattern).search(bytes(self._shown), since)
                if match:
                    return match
                left = deadline - time.monotonic()
                assert self._open, f"the terminal was closed, without {pattern!r}"
                assert left > 0, f"not in {timeout:g} s: {pattern!r}"
                self._changed.wait(left)

    def type(self, text: str) -> int:
        """Type; gives how much was shown before, for ``since``."""
        since = len(self.shown)
        os.write(self._master, text.encode("utf-8", "surrogateescape"))
        return since

    def wait_for_typing(self, timeout: float = PATIENCE) -> None:
        """Wait until readline reads: what is typed before is taken, and echoed, by the kernel (termios(3), ICANON)."""
        deadline = time.monotonic() + timeout
        tick = threading.Event()
        while termios.tcgetattr(self._master)[3] & termios.ICANON:
            assert time.monotonic() < deadline, f"it does not edit lines after {timeout:g} s"
            tick.wait(0.01)

    def press_until_end(self, key: str) -> None:
        """Press a key, and again after some seconds if nothing happened.

        Python's readline looks for signals only when it waits: one that comes in the microseconds before is dealt with
        at the next key. A person presses Ctrl-C again, and so does this.
        """
        for _ in range(5):
            self.type(key)
            try:
                self.process.wait(5)
                return
            except subprocess.TimeoutExpired:
                continue

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end; the exit code, negative for a signal's number."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {timeout:g} s") from None
        self._reader.join(timeout)
        return code


class Screen:
    """A tmux server with a window for each program: what stands on the screen once all escapes were obeyed."""

    def __init__(self, folder: Path, columns: int = 80, lines: int = 24) -> None:
        self._tmux = [peer("tmux"), "-S", str(folder / f"tmux-{uuid.uuid4().hex[:8]}"), "-f", os.devnull]
        self._size = ("-x", str(columns), "-y", str(lines))
        self._env = environment(TERM="screen", LANG="C.UTF-8", LC_ALL="C.UTF-8", TMUX=None, PS1="$ ", HISTFILE=None)

    def _call(self, *words: str) -> str:
        return subprocess.run(
            [*self._tmux, *words], env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
            timeout=PATIENCE,
        ).stdout  # fmt: skip

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._tmux, "kill-server"], env=self._env, capture_output=True, timeout=PATIENCE, check=False)

    def open(self, name: str, command: Sequence[str]) -> None:
        """A window of that name, in which the command runs; it stays there when the command has ended."""
        line = f"trap : INT; {shlex.join(command)}; echo exit=$?; exec cat"  # Ctrl-C is for the command alone
        self._call("new-session", "-d", "-s", name, *self._size, "sh", "-c", line)

    def keys(self, name: str, *keys: str) -> None:
        """Press keys, by tmux' names (``Enter``, ``Up``, ``C-c``), or type text."""
        self._call("send-keys", "-t", name, *keys)

    def text(self, name: str) -> str:
        """What stands on the screen, line by line, without the empty ones at its end."""
        return self._call("capture-pane", "-p", "-t", name).rstrip("\n")

    def wait_for(self, name: str, text: str, timeout: float = PATIENCE) -> str:
        """Wait until ``text`` stands on the screen; the screen. tmux tells nobody of a change, so it is asked."""
        deadline = time.monotonic() + timeout
        tick = threading.Event()
        while text not in (screen := self.text(name)):
            assert time.monotonic() < deadline, f"not in {timeout:g} s: {text!r} on\n{screen}"
            tick.wait(0.05)
        return screen
