"""Finds the connections of a server whose peer no longer answers: its machine, or the network between, has gone.

The kernel's keep-alive finds an idle one. While bytes are under way it asks nothing and would retransmit for 15 minutes:
there the age of the last ACK tells. A live peer that reads nothing answers, and is left alone.
"""

from __future__ import annotations

import socket

from wirecat.system.keep_alive import keep_alive, keep_clients_alive
from wirecat.system.tcp_progress import AckWatch, tcp_progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wirecat.connection_state import ConnectionState
    from wirecat.endpoints.listener import Listener


class DeadPeers:
    """Asked at intervals for the connections whose peer is lost. ``limit`` is the seconds of silence that prove it."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._interval = min(5.0, limit / 4)
        self._next = 0.0
        self._watches: dict[ConnectionState, AckWatch] = {}

    def find(self, connections: Iterable[ConnectionState], now: float) -> list[ConnectionState]:
        """Those that are lost, far sides among them (``ConnectionState.far``); none between two looks."""
        if now < self._next:
            return []
        self._next = now + self._interval
        before, self._watches = self._watches, {}
        dead = []
        for connection in connections:
            for side in (connection, connection.far):
                if side is None or side.closed:
                    continue
                watch = before.get(side)
                if watch is None:
                    watch = AckWatch()
                    if side is not connection:  # one that was accepted has it from its listener
                        _with_socket(side, self._ask_when_idle)
                self._watches[side] = watch
                if side.bytes_sent and self._is_dead(side, watch, now):
                    dead.append(side)
        return dead

    def _ask_when_idle(self, connected: socket.socket) -> bool:
        keep_alive(connected, self._limit)
        return False

    def _is_dead(self, side: ConnectionState, watch: AckWatch, now: float) -> bool:
        def ask(connected: socket.socket) -> bool:
            progress = tcp_progress(connected)
            return progress is not None and watch.is_dead(progress, now, self._limit)

        return _with_socket(side, ask)


def _with_socket(side: ConnectionState, call: Callable[[socket.socket], bool]) -> bool:
    """What ``call`` gives for the socket of a connection; False where it has none, or is closed meanwhile."""
    if side.descriptor < 0:
        return False
    try:
        borrowed = socket.socket(fileno=side.descriptor)
    except OSError:
        return False
    try:
        return call(borrowed)
    except OSError:
        return False
    finally:
        borrowed.detach()


def find_dead_peers(listener: Listener, limit: float | None) -> DeadPeers | None:
    """What looks after the connections of ``listener``, whose sockets get the keep-alive that accepted ones inherit; None
    where they have no TCP, or without ``limit``."""
    if limit is None or listener.datagrams or not keep_clients_alive(listener.sockets, limit):
        return None
    return DeadPeers(limit)
