"""The verb ``sockets``: the listening sockets and active connections of this machine, as netstat shows them.

    >>> from wirecat.sockets.listing import sockets
    >>> for row in sockets(listening=True):
    ...     assert row.is_listening

What could not be seen, such as other users' processes, is told in the result's notes.
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.system.socket_row import TCP_STATES, UDP_STATES, SocketRow, find_state
from wirecat.system.socket_table import PROTOCOLS, read_socket_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class SocketList:
    """What was found: ``rows``, listeners first, then by port; ``notes``, a line for each thing not seen."""

    __slots__ = ("notes", "rows")

    def __init__(self, rows: list[SocketRow], notes: list[str]) -> None:
        self.rows = rows
        self.notes = notes

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[SocketRow]:
        return iter(self.rows)


def sockets(
    *,
    port: int | None = None,
    listening: bool = False,
    state: str | None = None,
    protocol: str | None = None,
    processes: bool = True,
) -> SocketList:
    """List this machine's TCP and UDP sockets, IPv4 and IPv6; what is None chooses nothing.

    ``port`` is the local or the remote port. ``listening`` chooses what others may talk to: TCP listeners and
    UDP sockets without a peer. ``state`` is a state in any usual spelling (``TIME-WAIT``, ``time_wait``,
    ``FIN_WAIT1``). ``protocol`` is ``tcp`` or ``udp``. ``processes=False`` does not look for the processes,
    which is faster.

    Raises UsageError (a port, state or protocol that cannot be; psutil is needed and missing) and
    WirecatError (the system does not let its table be read).

    >>> import socket
    >>> with socket.create_server(("127.0.0.1", 0)) as server:
    ...     [row.state for row in sockets(port=server.getsockname()[1], listening=True)]
    ['LISTEN']
    """
    if port is not None and not 1 <= port <= 65535:
        raise UsageError(f"a port is 1 to 65535, not {port}", step="sockets")
    if protocol is not None and protocol not in PROTOCOLS:
        raise UsageError(f"a protocol is tcp or udp, not {protocol!r}", step="sockets")
    states = None
    if state is not None:
        name = find_state(state)
        if name is None:
            known = ", ".join((*TCP_STATES, UDP_STATES[0]))
            raise UsageError(f"there is no state {state!r}", step="sockets", hint=f"Known: {known}")
        states = (name,)
    if listening and states is not None and states[0] not in ("LISTEN", "UNCONNECTED"):
        raise UsageError(f"a listening socket is never {states[0]}: ask for one of the two", step="sockets")
    table = read_socket_table(
        protocols=PROTOCOLS if protocol is None else (protocol,),
        states=states,
        listening=listening and states is None,
        port=port,
        processes=processes,
    )
    return SocketList(sorted(table.rows, key=_order), table.notes)


def _order(row: SocketRow) -> tuple[bool, bool, int, int, str]:
    return (row.protocol != "tcp", not row.is_listening, row.local_port, row.remote_port or 0, row.local_host)
