"""A program for each client: its standard input and output are the connection, by ``/bin/sh -c``.

The client's end is the end of the program's input, and no more: it may have much to say still. The program's end is the
connection's. Who breaks off, and a server that cuts the connection (a stop, a kick, idleness), ends the program too:
SIGTERM for it and all that it has started, and a moment later SIGKILL.
"""

from __future__ import annotations

import threading

from wirecat.connection import Connection
from wirecat.endpoints.exec import start_program
from wirecat.endpoints.socket_stream import LINGER
from wirecat.errors import ConnectionBroken
from wirecat.pump import pump
from wirecat.server.start_rate import StartRate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.endpoints.exec import ExecStream
    from wirecat.errors import NetworkError
    from wirecat.pump import OnPath

_PROTOCOLS = {"udp": "UDP", "dtls": "UDP", "unixgram": "UDP", "sctp": "SCTP"}


class Exec:
    """Starts ``command`` for each connection; with ``split`` not by the shell, but cut at white space.

    ``rate`` limits how many start a second. More clients wait; one that is lost meanwhile has no program started for it.
    """

    def __init__(self, command: str, *, split: bool = False, rate: StartRate | None = None) -> None:
        self._command = command
        self._split = split
        self._rate = rate or StartRate()

    def __call__(self, connection: Connection) -> None:
        """Serve one client until the program or the client's connection has ended."""
        lost: list[NetworkError] = []

        def is_wanted() -> bool:
            if connection.cut_reason:
                return False
            error = connection.stream.loss()
            if error is not None:
                lost.append(error)
            return error is None

        if not self._rate.pass_through(is_wanted):
            if lost:
                raise lost[0]
            return
        program = start_program(self._command, split=self._split, environment=program_environment(connection))

        def abort() -> None:
            if connection.cut_reason:
                program.abort()

        connection.on_abort = abort
        try:
            abort()  # it may have been cut while the program was started
            join_program(connection, program)
        except BaseException:
            program.abort()
            raise
        finally:
            connection.on_abort = None
            program.close()


def join_program(connection: Connection, program: ExecStream, on_path: OnPath | None = None) -> None:
    """Move bytes until the program's output has ended, and the client has, or had its time to.

    ``on_path`` is the pump's. Raises ConnectionBroken.
    """
    # What the client sends meanwhile is read away: bytes unread would make the close a reset, and that could cost it
    # the program's last words.
    give_up = threading.Timer(LINGER, connection.stream.abort)
    give_up.daemon = True
    give_up.name = f"wirecat-{connection.id}-linger"
    child = Connection(program)
    child.on_end = give_up.start
    try:
        # Datagrams have no end that could be told or waited for: the program's is that of all.
        result = pump(connection, child, until_right_ends=not connection.stream.can_half_close, on_path=on_path)
    finally:
        give_up.cancel()
        if give_up.ident is not None:
            give_up.join()
    for failure in result.failures:
        if isinstance(failure, ConnectionBroken):
            raise failure


def program_environment(connection: Connection) -> dict[str, str]:
    """What a program is told of its connection, by the names that ncat gave it.

    A path (a Unix domain socket) is no address that a program could use: it is ``localhost``, without a port.
    """

    def told(which: str) -> tuple[str, str]:
        address = getattr(connection, which)
        return ("localhost", "") if address.port is None else (address.host or "", str(address.port))

    (remote, remote_port), (local, local_port) = told("peer"), told("local")
    return {
        "NCAT_REMOTE_ADDR": remote, "NCAT_REMOTE_PORT": remote_port, "NCAT_LOCAL_ADDR": local,
        "NCAT_LOCAL_PORT": local_port, "NCAT_PROTO": _PROTOCOLS.get(connection.peer.scheme, "TCP"),
    }  # fmt: skip


def make(argument: str) -> Callable[[Connection], None]:
    """A handler that runs the command ``argument`` for each client."""
    return Exec(argument)
