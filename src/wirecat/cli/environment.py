"""What a command has to do with: its standard streams, whether they are terminals, how to say something on stderr."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from wirecat.errors import WirecatError


class Environment:
    """Passed to every verb in place of the globals, so that a test can pass another.

    ``stdin``, ``stdout`` and ``stderr`` are text streams; ``no_input`` tells that standard input is closed or the null
    device.
    """

    __slots__ = (
        "no_input", "quiet", "stderr", "stderr_is_terminal", "stdin", "stdin_is_terminal", "stdout",
        "stdout_is_terminal", "variables",
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
        stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
        stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
        stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
        return cls(stdin, stdout, stderr, os.environ)

    def message(self, text: str) -> None:
        """Write ``text`` to stderr as one line that begins with the program's name."""
        self.write_messages([f"wirecat: {text}"])

    def note(self, text: str) -> None:
        """As ``message``, unless ``-q`` was given."""
        if not self.quiet:
            self.message(text)

    def write_messages(self, lines: Iterable[str]) -> None:
        """Write messages to stderr, each as exactly one line.

        Any of them may hold what a peer, a name server, a file name or the command line contributed. So control
        characters, line breaks and invisible characters are escaped (``wire.printable``), on a terminal and in a pipe:
        a log file is read on a terminal later, and a forged line is a forged line in both.
        """
        self.write_error("".join(map(_line, lines)))

    def write_error(self, text: str) -> None:
        """Write text of wirecat's own to stderr unchanged: the help, a progress line with its carriage returns.

        For anything else there are ``message`` and ``write_messages``. An error of stderr itself is ignored, because it
        could be reported on stderr alone.
        """
        try:
            write_whole(self.stderr, text)
        except OSError:
            return

    def write(self, text: str) -> None:
        """Write a result to stdout, all of it, at once.

        Raises OutputClosed when nobody reads it any more, WirecatError when it takes no more (a full disk).
        """
        try:
            write_whole(self.stdout, text)
        except OSError as error:
            raise _output_failure(error) from error

    def write_result(self, line: str) -> None:
        """Write one line of a result to stdout, escaped as a message is. Raises what ``write`` raises."""
        self.write(_line(line))

    def flush(self) -> None:
        """Hand on what was written to stdout by others' means. Raises what ``write`` raises."""
        try:
            self.stdout.flush()
        except OSError as error:
            raise _output_failure(error) from error

    def colour(self, stream_is_terminal: bool) -> bool:
        """Whether colour is wanted there (https://no-color.org)."""
        return stream_is_terminal and not self.variables.get("NO_COLOR") and self.variables.get("TERM") != "dumb"


def _line(text: str) -> str:
    """One line with its end, in which a terminal obeys nothing."""
    if text.isascii() and text.isprintable():  # nothing to escape: no import, which without descriptors would fail
        return f"{text}\n"
    from wirecat.wire.printable import printable  # a start that has nothing to say does not pay for it

    return f"{printable(text)}\n"


def write_whole(stream: TextIO, text: str) -> None:
    """Write all of ``text`` past Python's buffer. A character that the stream's encoding lacks becomes an escape.

    A thread that hangs in a write to a stalled terminal then holds no lock that the end of the process needs; and under
    ``python -u`` a text stream drops what one write(2) does not take. Raises OSError when nobody reads it any more.
    """
    encoding = stream.encoding or "utf-8"
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream of a test, in memory
        descriptor = -1
    if descriptor < 0 or (os.name == "nt" and stream.isatty()):  # a Windows console takes text, not bytes
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
        return
    stream.flush()
    data = memoryview(text.replace("\n", os.linesep).encode(encoding, "backslashreplace"))
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # whoever shares the descriptor has made it non-blocking
            import select

            select.select([], [descriptor], [])


def _output_failure(error: OSError) -> WirecatError:
    from wirecat.endpoints.failures import output_failure

    return output_failure(error)


def _occupy() -> None:
    """Give descriptors 0, 1 and 2 something to stand for, where they are closed.

    Else the first socket would get such a number, and what is meant for stderr would go to the peer. Input then is
    empty; output fails, and is told, because the null device is opened for reading only.
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
