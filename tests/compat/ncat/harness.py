"""Both programs that a row of the conformance tests is run with: wirecat as ncat, and Debian's ncat as an oracle.

    @both
    def test_x(ncat):
        listener = ncat.listen("-k")
        client = ncat.dial(listener.port)

Nothing sleeps: a listener tells that it is ready (``--test``), and all else is waited for. What a test has opened is
closed when it ends, whatever happens.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

from peers import PATIENCE, Program, environment, peer
from plain_peers import free_port

MAIN = "import sys; from wirecat.__main__ import main; sys.exit(main())"
WIRECAT, ORACLE = "wirecat", "ncat"

#: A row for wirecat alone: behaviour that is newer than the oracle.
ours = pytest.mark.parametrize("ncat", [WIRECAT], indirect=True)
#: A row on which wirecat and Debian's ncat 7.93 agree.
both = pytest.mark.parametrize("ncat", [WIRECAT, ORACLE], indirect=True)


class Ended:
    """How a program ended: exit code (negative: the signal), standard output, standard error as text."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out
        self.err = err.decode(errors="backslashreplace")

    def __repr__(self) -> str:
        return f"exit {self.code}, out {self.out!r}, err {self.err!r}"


class Listening:
    """A listener under test: its process and its port."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.port = port


class Ncat:
    """One of the two programs, and what a test has opened with it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.stack = contextlib.ExitStack()
        if name == WIRECAT:
            self.command = [sys.executable, "-c", MAIN, "ncat"]
        else:
            self.command = [peer("ncat")]

    @property
    def is_ours(self) -> bool:
        return self.name == WIRECAT

    def start(self, *arguments: object, env: dict[str, str | None] | None = None, **options: object) -> Program:
        """The program, running until the test ends."""
        command = [*self.command, *map(str, arguments)]
        return self.stack.enter_context(
            Watched(command, env=environment(**(env or {})), cwd=self.folder, **options)  # type: ignore[arg-type]
        )

    def run(self, *arguments: object, input: bytes | None = b"", env: dict[str, str | None] | None = None) -> Ended:
        """The program, run to its end with ``input`` (None: no standard input at all, /dev/null)."""
        if input is None:
            program = self.start(*arguments, env=env, stdin=subprocess.DEVNULL)
        else:
            program = self.start(*arguments, env=env)
            with contextlib.suppress(BrokenPipeError):
                program.send(input)
                program.close_stdin()
        code = program.wait()
        return Ended(code, program.stdout, program.stderr)

    def listen(self, *arguments: object, host: str = "127.0.0.1", **options: object) -> Listening:
        """A listener on one address, ready."""
        port = free_port()
        program = self.start("--test", "-l", *arguments, host, port, **options)  # type: ignore[arg-type]
        program.wait_for("stderr", b"NCAT TEST: LISTEN\n")
        return Listening(program, port)

    def listen_everywhere(self, *arguments: object, **options: object) -> Listening:
        """A listener on both families, ready."""
        port = free_port()
        program = self.start("--test", "-l", *arguments, port, **options)  # type: ignore[arg-type]
        program.wait_for("stderr", b"(?s)NCAT TEST: LISTEN\n.*NCAT TEST: LISTEN\n")
        return Listening(program, port)

    def listen_path(self, *arguments: object, name: str = "s") -> tuple[Program, Path]:
        """A listener on a Unix domain socket, ready."""
        path = self.folder / name
        program = self.start("--test", "-l", "-U", *arguments, path)
        program.wait_for("stderr", b"NCAT TEST: LISTEN\n")
        return program, path

    def dial(self, port: int, host: str = "127.0.0.1", source: str | None = None) -> socket.socket:
        """A plain client, connected."""
        own = None if source is None else (source, 0)
        for _ in range(50 if not self.is_ours else 1):
            try:
                return self.stack.enter_context(socket.create_connection((host, port), PATIENCE, own))
            except ConnectionRefusedError:
                os.sched_yield()  # the oracle's proxy says that it listens a moment before it does
        return self.stack.enter_context(socket.create_connection((host, port), PATIENCE, own))

    def dial_datagrams(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        """A plain UDP socket for that port alone."""
        made = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.settimeout(PATIENCE)
        made.connect((host, port))
        return made

    def dial_path(self, path: Path) -> socket.socket:
        """A plain client on a Unix domain socket."""
        made = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        made.settimeout(PATIENCE)
        made.connect(str(path))
        return made

    def plain(self, host: str = "127.0.0.1") -> PlainListener:
        """A plain listening socket."""
        return PlainListener(self, host)

    def plain_datagrams(self) -> socket.socket:
        """A plain bound UDP socket."""
        made = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        made.settimeout(PATIENCE)
        made.bind(("127.0.0.1", 0))
        return made


class Watched(Program):
    """A program that must leave nothing open, if it has ended by itself: what a signal cuts off may be half made."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._check_warnings = self.process.poll() is not None
        super().__exit__(kind, error, traceback)


class PlainListener:
    """A plain listening socket, and its port."""

    def __init__(self, ncat: Ncat, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._ncat = ncat
        self.socket = ncat.stack.enter_context(socket.socket(family))
        self.socket.settimeout(PATIENCE)
        self.socket.bind((host, 0))
        self.socket.listen()
        self.port = int(self.socket.getsockname()[1])

    def accept(self) -> socket.socket:
        """The next client."""
        accepted = self._ncat.stack.enter_context(self.socket.accept()[0])
        accepted.settimeout(PATIENCE)
        return accepted


def everything(connection: socket.socket) -> bytes:
    """All bytes until the peer's end."""
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece, f"it ended after {data!r}"
        data += piece
    return data


def is_silent(connection: socket.socket, seconds: float = 0.3) -> bool:
    """Whether nothing comes, the end included, within that time."""
    before = connection.gettimeout()
    connection.settimeout(seconds)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(before)
    return False


def still_runs(program: Program, seconds: float = 0.3) -> bool:
    """Whether it has not ended within that time."""
    try:
        program.process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


@contextlib.contextmanager
def opened(name: str, folder: Path) -> Iterator[Ncat]:
    """One of the programs for the length of a test."""
    ncat = Ncat(name, folder)
    with ncat.stack:
        yield ncat
