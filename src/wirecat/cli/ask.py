"""Question and answer (``connect --ask``): a prompt, one line out, the reply printed as it comes."""

from __future__ import annotations

import sys

from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import ConnectionBroken
from wirecat.wire.framing import ReceiveBuffer, encode, split_ending
from wirecat.wire.newline import NEWLINES
from wirecat.wire.printable import Printable, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.connection import Connection

QUIT = b"quit"


def ask(
    connection: Connection, environment: Environment, *, prompt: str, newline: str, first: float, silence: float
) -> int:
    """Ask until an empty line, ``quit`` (which is sent and answered) or the end of input.

    A reply may take ``first`` seconds to begin and is over after ``silence`` seconds without a byte. Exit code 1 if a
    question stayed unanswered, or if the peer went before all was asked.
    """
    stdio = StdioStream(environment.stdin.fileno(), environment.stdout.fileno())
    try:
        questions = _questions(environment, stdio, prompt)
        return _converse(connection, environment, questions, _Output(environment, stdio), newline, first, silence)
    finally:
        stdio.close()


def _converse(
    connection: Connection,
    environment: Environment,
    questions: _Terminal | _Lines,
    output: _Output,
    newline: str,
    first: float,
    silence: float,
) -> int:
    code = 0
    # Many a server greets. On a terminal the greeting is waited for, so that it stands before the first prompt.
    _print_reply(connection, output, silence if questions.prompts else 0, silence)
    while True:
        if connection.ended and not questions.waiting:
            environment.note(f"{connection.peer} closed the connection")
            return code
        line = questions.next()
        if not line:
            return code
        _print_reply(connection, output, 0, 0)  # what came unasked meanwhile
        if connection.ended:
            environment.message(f"{connection.peer} closed the connection; {len(line)} bytes were not sent")
            return 1
        try:
            connection.send(line + NEWLINES[newline])
        except ConnectionBroken as error:
            environment.message(str(error))
            return 1
        answered = _print_reply(connection, output, first, silence)
        if not answered:
            code = 1
            if not connection.ended:
                environment.message(f"no reply in {first:g} s")
        if line == QUIT:
            return code


def _print_reply(connection: Connection, output: _Output, first: float, silence: float) -> bool:
    """Print what comes until it is silent; whether anything came."""
    came = False
    try:
        for piece in connection.reply_pieces(first, silence):
            output.write(piece)
            came = True
    finally:
        output.end_of_reply()
    return came


class _Output:
    """Replies on standard output: made printable and on lines of their own on a terminal, exact elsewhere."""

    def __init__(self, environment: Environment, stdio: StdioStream) -> None:
        self._stdio = stdio
        self._terminal = environment.stdout_is_terminal
        self._printable = Printable()
        self._at_line_start = True

    def write(self, data: bytes) -> None:
        if self._terminal:
            self._show(self._printable.feed(data))
        else:
            self._stdio.send(data)

    def end_of_reply(self) -> None:
        if self._terminal:
            self._show(self._printable.finish())
            if not self._at_line_start:
                self._show("\n")

    def _show(self, text: str) -> None:
        if text:
            self._at_line_start = text.endswith("\n")
            self._stdio.send(text.encode())


def _questions(environment: Environment, stdio: StdioStream, prompt: str) -> _Terminal | _Lines:
    """Where the lines come from."""
    prompt = printable(prompt)
    if environment.stdin_is_terminal and environment.stdout_is_terminal:
        return _Terminal(environment, prompt)
    return _Lines(environment, stdio, prompt if environment.stdin_is_terminal else "")


class _Terminal:
    """Lines that a person types, with history and editing."""

    prompts = True
    waiting = False

    def __init__(self, environment: Environment, prompt: str) -> None:
        self._environment = environment
        self._prompt = prompt
        try:
            import readline  # noqa: F401  history and editing for input()
        except ImportError:
            pass  # Windows' console has its own
        for stream in (environment.stdin, environment.stdout):
            # What is typed may be no UTF-8; it is sent unchanged.
            stream.reconfigure(errors="surrogateescape")  # type: ignore[attr-defined]

    def next(self) -> bytes | None:
        """The next line, without its end; None at the end of the input."""
        try:
            return encode(input(self._prompt))
        except EOFError:
            self._environment.write_error("\n")
            return None


class _Lines:
    """Lines of a pipe or a file; standard output then carries the replies alone, so a prompt goes to stderr."""

    def __init__(self, environment: Environment, stdio: StdioStream, prompt: str) -> None:
        self._environment = environment
        self._stdio = stdio
        self._prompt = prompt
        self.prompts = bool(prompt)
        self._buffer = ReceiveBuffer()

    @property
    def waiting(self) -> bool:
        """Whether there is input that was read and not asked yet."""
        return len(self._buffer) > 0

    def next(self) -> bytes | None:
        """The next line, without its end; empty or None at the end of the input."""
        if self._prompt:
            self._environment.write_error(self._prompt)
        while (line := self._buffer.take_line(sys.maxsize)) is None:
            piece = self._stdio.receive(65536)
            if piece:
                self._buffer.feed(piece)
            else:
                self._buffer.feed_end()
        return split_ending(line)[0]
