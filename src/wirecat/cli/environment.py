"""What a command has to do with: its standard streams, whether they are terminals, and how to say something on stderr."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


class Environment:
    """Passed to every verb in place of the globals, so that a test can pass another.

    ``stdin``, ``stdout`` and ``stderr`` are text streams; ``no_input`` tells that standard input is closed or /dev/null.
    """

    __slots__ = (
        "no_input", "quiet", "stderr", "stderr_is_terminal", "stdin", "stdin_is_terminal", "stdout", "stdout_is_terminal",
        "variables",
    )  # fmt: skip

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO, variables: Mapping[str, str]) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.stdin_is_terminal = stdin.isatty()
        self.stdout_is_terminal = stdout.isatty()
        self.stderr_is_terminal = stderr.isatty()
        self.no_input = _is_null_device(stdin)
        self.variables = variables
        self.quiet = False

    @classmethod
    def of_process(cls) -> Environment:
        """That of this process. A standard descriptor that is closed is occupied first (see ``_occupy``)."""
        _occupy()
        # The null device stands in for streams that Python left out because their descriptor was closed.
        stdin = sys.stdin or open(0, closefd=False)
        stdout = sys.stdout or open(1, "w", closefd=False)
        stderr = sys.stderr or open(2, "w", closefd=False)
        return cls(stdin, stdout, stderr, os.environ)

    def message(self, text: str) -> None:
        """Say ``text`` on stderr, as a line with the program's name."""
        self.write_error(f"wirecat: {text}\n")

    def note(self, text: str) -> None:
        """As ``message``, unless ``-q`` was given."""
        if not self.quiet:
            self.message(text)

    def write_error(self, text: str) -> None:
        """Write to stderr as it stands; where nobody reads stderr any more there is nobody to tell."""
        write_unbuffered(self.stderr, text)

    def colour(self, stream_is_terminal: bool) -> bool:
        """Whether colour is wanted there (https://no-color.org)."""
        return stream_is_terminal and not self.variables.get("NO_COLOR") and self.variables.get("TERM") != "dumb"


def write_unbuffered(stream: TextIO, text: str) -> bool:
    """Write past Python's buffer: a thread that hangs in a write to a stalled terminal then holds no lock that the end of
    the process needs. False when nobody reads the stream any more."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream of a test, in memory
        stream.write(text)
        return True
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return False
    return True


def _occupy() -> None:
    """Give descriptors 0, 1 and 2 something to stand for, where they are closed.

    Else the first socket would get such a number, and what is meant for stderr would go to the peer. Input then is empty;
    output fails, and is told, because the null device is opened for reading only.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if descriptor < 2 else os.O_WRONLY)


def _is_null_device(stream: TextIO) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))
    except (OSError, ValueError, AttributeError):
        return False
