"""Listen mode with ``-k``: all clients on one standard input and output, or a program for each."""

from __future__ import annotations

import _thread
from time import monotonic

from wirecat.carrier import DATAGRAM
from wirecat.cli.ncat.many import serve_clients
from wirecat.endpoints.stdio import StdioStream
from wirecat.errors import WirecatError
from wirecat.server.room import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.reception import Reception
    from wirecat.cli.ncat.settings import Settings
    from wirecat.connection import Connection

PIECE = 65536
FAREWELL = 60.0  # seconds that a slow client gets for the rest of the input before its end is told


def serve_many(reception: Reception) -> int:
    """Serve until a signal comes. Raises Ending, Signalled."""
    settings = reception.settings
    if settings.command is not None:
        from wirecat.cli.ncat.exec import run_command

        return serve_clients(lambda connection: run_command(connection, settings, reception.voice), reception)
    handler = SharedStdio(settings, reception.environment)
    try:
        return serve_clients(handler, reception, handler.input)
    finally:
        handler.close()


class Input:
    """Standard input, read by a thread of its own from the first client on: nothing of it is lost before that.

    ``say(data)`` gets each piece, of ``piece`` bytes at most, ``ended()`` is called at its end, and ``ended_at`` is when that
    was (``monotonic``).
    """

    def __init__(
        self,
        environment: Environment,
        say: Callable[[bytes], None],
        ended: Callable[[], None] = lambda: None,
        *,
        piece: int = PIECE,
    ) -> None:
        self.stream = StdioStream(environment.stdin.fileno(), environment.stdout.fileno())
        self.ended_at: float | None = None
        self._piece = piece
        self._say = say
        self._ended = ended
        self._lock = _thread.allocate_lock()
        self._started = False

    def start(self) -> None:
        """Begin to read, once."""
        with self._lock:
            if self._started:
                return
            self._started = True
        _thread.start_new_thread(self._read, ())

    def _read(self) -> None:
        while data := self.stream.receive(self._piece):
            self._say(data)
        self._ended()
        self.ended_at = monotonic()


def input_piece(settings: Settings) -> int:
    """How many bytes of the input are sent at once: with datagrams as many as one takes."""
    return DATAGRAM if settings.udp else PIECE


class SharedStdio:
    """The handler: all clients share our standard input and output."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        self._settings = settings
        self._room = Room()
        self.input = Input(environment, self._room.send, self._input_ended, piece=input_piece(settings))
        self._turn = _thread.allocate_lock()
        self._over: Callable[[], None] = lambda: None

    def when_over(self, call: Callable[[], None]) -> None:
        """``call()`` when there is nothing left to do: with ``--send-only`` or ``-q 0`` at the end of the input."""
        self._over = call

    def __call__(self, connection: Connection) -> None:
        """Serve one client until its end."""
        with self._room.join(connection):
            if not self._settings.recv_only:
                self.input.start()
            while (data := connection.receive(PIECE)) is not None:
                if not self._settings.send_only:
                    with self._turn:
                        self.input.stream.send(data)

    def _input_ended(self) -> None:
        """Nothing more will be sent to those who are there. (Who comes later is not told: it may be there to send.)"""
        if self._settings.send_only or self._settings.quit_after == 0:
            for member in self._room.members:
                member.outbox.finish(FAREWELL)
            self._over()
            return
        if self._settings.no_shutdown:
            return
        for member in self._room.members:
            if not member.connection.stream.can_half_close:
                continue
            if member.outbox.finish(FAREWELL):
                try:
                    member.connection.half_close()
                except WirecatError:
                    continue  # it has gone meanwhile

    def close(self) -> None:
        """End the reading."""
        self.input.stream.abort()
