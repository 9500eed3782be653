"""Programs in place of standard input and output: ``-e``, ``-c`` and ``--lua-exec``."""

from __future__ import annotations

import errno
import os

from wirecat.cli.ncat.session import raise_broken, tell_path
from wirecat.connection import Connection
from wirecat.endpoints.exec import start_program
from wirecat.errors import UsageError
from wirecat.pump import pump
from wirecat.server.handlers.exec import program_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.endpoints.exec import ExecStream


PATIENCE = 1.0  # seconds that a program has with -k to end by itself once its client is lost


class _Program(Connection):
    """A program as one side of the pump. When the other side breaks, it gets the end of its input and is not killed:
    it may have something to finish. (A listener that goes on with ``-k`` ends it after PATIENCE seconds: clients that are
    lost must not leave their programs behind.)"""

    __slots__ = ()

    def abort(self) -> None:
        self.half_close()


def run_command(connection: Connection, settings: Settings, voice: Voice) -> None:
    """Let the program of the options talk on ``connection`` until it ends. A program that cannot be started is told.

    Raises Ending for a connection that broke; what ends us ends the program too. A program may be silent for as long as it
    likes: the idle timeout is not for it, as in ncat.
    """
    try:
        stream = _start(connection, settings)
    except UsageError as error:
        reason = getattr(error.__cause__, "strerror", None) or error.message
        voice.line(f"exec: {reason}")
        return

    def cut() -> None:
        if connection.cut_reason:
            stream.abort()

    connection.on_abort = cut
    try:
        if connection.cut_reason:  # it was cut off while the program started
            stream.abort()
        result = pump(
            _Program(stream),
            connection,
            until_left_ends=True,
            half_close=connection.stream.can_half_close and not settings.no_shutdown,
            forward=not settings.recv_only,
            on_path=tell_path(voice),
        )
        if result.failures and settings.keep_open:
            stream.patience = PATIENCE
    except BaseException:
        stream.abort()
        raise
    finally:
        connection.on_abort = None
        stream.close()
    if result.failures:
        raise_broken(result.failures, connection, settings)


def _start(connection: Connection, settings: Settings) -> ExecStream:
    environment = program_environment(connection)
    if settings.sh_exec is not None:
        return start_program(settings.sh_exec, environment=environment)
    if settings.lua_exec is not None:
        from wirecat.cli.ncat.lua import lua_words

        words = [*lua_words(), settings.lua_exec]
        return start_program(" ".join(map(_escaped, words)), split=True, environment=environment)
    if not (settings.exec or "").strip():
        raise UsageError(os.strerror(errno.EFAULT))  # what execve(2) says to ncat, which has no word for it
    return start_program(settings.exec or "", split=True, environment=environment)


def _escaped(word: str) -> str:
    return "".join(f"\\{letter}" if letter.isspace() or letter == "\\" else letter for letter in word)
