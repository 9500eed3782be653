"""Question and answer (``connect --ask``): a prompt, one line out, the reply printed as it comes."""

from __future__ import annotations


from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import ConnectionBroken
from wirecat.wire.framing import encode
from wirecat.wire.newline import NEWLINES
from wirecat.wire.printable import Printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.connection import Connection

QUIT = b"quit"


def ask(
    connection: Connection, environment: Environment, *, prompt: str, newline: str, first: float, silence: float
) -> int:
    """Ask until an empty line, ``quit`` (which is sent and answered) or the end of input.

    A reply may take ``first`` seconds to begin and is over after ``silence`` seconds without a byte. Exit code 1 if the
    peer went with a question unanswered.
    """
    read_line = _line_reader(environment, prompt)
    output = _Output(environment)
    while (line := read_line()) is not None and line:
        if not _print_reply(connection, output, 0, 0) and connection.ended:
            environment.message(f"{connection.peer} closed the connection; {len(line)} bytes were not sent")
            return 1
        try:
            connection.send(line + NEWLINES[newline])
        except ConnectionBroken as error:
            environment.message(str(error))
            return 1
        count = _print_reply(connection, output, first, silence)
        output.end_of_reply()
        if connection.ended:
            environment.note(f"{connection.peer} closed the connection")
            return 0 if count else 1
        if not count:
            environment.message(f"no reply in {first:g} s")
        if line == QUIT:
            return 0
    return 0


def _print_reply(connection: Connection, output: _Output, first: float, silence: float) -> int:
    """Print what comes until it is silent; how many bytes came."""
    count = 0
    for piece in connection.reply_pieces(first, silence):
        output.write(piece)
        count += len(piece)
    return count


class _Output:
    """Replies on standard output: made printable and on lines of their own on a terminal, exact elsewhere."""

    def __init__(self, environment: Environment) -> None:
        self._stdio = StdioStream(environment.stdin.fileno(), environment.stdout.fileno())
        self._terminal = environment.stdout_is_terminal
        self._printable = Printable()
        self._at_line_start = True

    def write(self, data: bytes) -> None:
        if self._terminal:
            text = self._printable.feed(data)
            if text:
                self._at_line_start = text.endswith("\n")
            data = text.encode()
        self._stdio.send(data)

    def end_of_reply(self) -> None:
        if self._terminal:
            rest = self._printable.finish()
            ending = "" if self._at_line_start and not rest else "\n"
            self._stdio.send((rest + ending).encode())
            self._at_line_start = True


def _line_reader(environment: Environment, prompt: str) -> Callable[[], bytes | None]:
    """How to get the next line, without its end; None at the end of the input."""
    if environment.stdin_is_terminal and environment.stdout_is_terminal:
        try:
            import readline  # noqa: F401  history and editing for input()
        except ImportError:
            pass  # Windows' console has its own

        def from_terminal() -> bytes | None:
            try:
                return encode(input(prompt))
            except EOFError:
                environment.write_error("\n")
                return None

        return from_terminal

    binary = environment.stdin.buffer

    def from_pipe() -> bytes | None:
        if environment.stdin_is_terminal:
            environment.write_error(prompt)  # standard output carries the replies alone
        line = binary.readline()
        return line.rstrip(b"\r\n") if line else None

    return from_pipe


