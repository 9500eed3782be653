"""Admission: lets queued clients in, whatever happens to one of them; who is idle is found by a sweep over all.

When descriptors run out (EMFILE, ENFILE) accept(2) fails and the client stays queued: level-triggered polling would
then spin. So nobody looks at the listeners until a connection has ended, or a second has passed.
"""

from __future__ import annotations

import socket
import traceback

from wirecat.endpoints.accepting import accept_from
from wirecat.endpoints.place import host_of, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.connection_state import ConnectionState
    from wirecat.endpoints.listener import Listener
    from wirecat.server.access import AccessList
    from wirecat.server.dead_peers import DeadPeers
    from wirecat.server.handshakes import Handshakes
    from wirecat.server.registry import Registry

    Adopt = Callable[[socket.socket, Any], None]

SWEEP = 1.0  # seconds between sweeps
RETRY = 1.0  # seconds until accept is tried again when nothing told that there is room
BATCH = 64  # clients accepted before the other listeners and the sweep have their turn


class Admission:
    """Who may come in by ``listener``: asks ``access`` and the registry's limit. ``adopt`` is what serves those who may.

    ``once`` closes the listener with the first admitted client. ``idle_timeout`` seconds without a byte end a
    connection by ``cut(connection, "idle")``.
    """

    dead_peers: DeadPeers | None = None
    """What finds connections whose peer no longer answers; set by the server."""

    def __init__(
        self,
        listener: Listener,
        registry: Registry,
        access: AccessList,
        adopt: Callable[..., None],
        cut: Callable[[Any, str], None],
        *,
        once: bool = False,
        idle_timeout: float | None = None,
    ) -> None:
        self._listener = listener
        self._registry = registry
        self._access = access
        self._adopt = adopt
        self._cut = cut
        self._once = once
        self._idle_timeout = idle_timeout
        self._sweep = SWEEP if idle_timeout is None else min(SWEEP, max(0.02, idle_timeout / 4))

    def _refusal(self, host: str | None) -> str:
        """Why a client from ``host`` (None: a program of this PC) may not come in; empty where it may."""
        if host is not None and not self._access.permits(host):
            return "not allowed"
        return self._limit_reached() if self._registry.full else ""

    def _limit_reached(self) -> str:
        return f"connection limit reached ({self._registry.limit})"

    def _sweep_idle(self, now: float) -> None:
        for connection in self._registry.connections():
            idle = connection.note_traffic(now)
            for limit in (self._idle_timeout, connection.idle_limit):
                if limit is not None and idle >= limit and not connection.cut_reason:
                    self._cut(connection, "idle")
        if self.dead_peers is not None:
            self._end_dead(self.dead_peers.find(self._registry.connections(), now))

    def _end_dead(self, dead: list[ConnectionState]) -> None:
        for side in dead:
            if self._registry.find(side.id) is side:
                self._cut(side, "lost")
            else:
                side.lose()  # its handler fails by that, and ends the client


class SocketAdmission(Admission):
    """Accepts the clients that are queued at the listener's sockets. When it looks there is for whoever builds on it.

    Where clients begin with a handshake, ``handshakes`` counts those that are not complete; ``adopt`` begins one, and
    asks them ``may_enter`` when it is complete. ``call(function)`` calls it, soon, on the event loop that serves, where there
    is one; False where there is none any more.
    """

    def __init__(
        self,
        *arguments: Any,
        handshakes: Handshakes | None = None,
        call: Callable[..., bool] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._handshakes = handshakes
        self._call = call
        if handshakes is not None:
            handshakes.may_enter, handshakes.on_space = self.may_enter, self._room
        self._stopping = False  # no more clients
        self._no_room = False  # accept failed: the listeners are not watched
        self._no_room_told = False

    def _watch_listeners(self) -> None:
        raise NotImplementedError

    def _forget_listeners(self) -> None:
        raise NotImplementedError

    def _close_listener(self) -> None:
        raise NotImplementedError

    def _close_listener_now(self) -> None:
        """As ``_close_listener``, from any thread."""
        raise NotImplementedError

    def _room(self) -> None:
        """There may be room again: accept, if accepting had to wait."""
        raise NotImplementedError

    def _accept_from(self, listening: socket.socket) -> None:
        for _ in range(BATCH):
            if self._handshakes is not None and self._handshakes.is_full:
                limit = self._handshakes.limit
                self._hold_back(f"handshake limit reached ({limit}); new clients wait until a handshake is over")
                return
            try:
                found = accept_from(listening)
            except OSError as error:
                count = self._registry.count
                are = "1 connection is" if count == 1 else f"{count} connections are"
                self._hold_back(
                    f"cannot accept: {error.strerror} ({are} open); new clients wait until a connection closes"
                )
                return
            if found is None:
                self._no_room_told = False  # the queue is empty: should it come to that again, it is told again
                return
            accepted, peer = found
            try:
                self._admit(accepted, peer)
            except Exception as error:
                accepted.close()
                self._fail_one(error)
            if self._stopping:
                return

    def _fail_one(self, error: Exception) -> None:
        """A client cannot be served. Whatever the error is, it concerns this one client. To be called where it was
        caught."""
        self._registry.fail(None, error, traceback.format_exc())
        if self._stopping and self._registry.on_empty is not None:  # it was the one of ``once``
            self._registry.on_empty()

    def _hold_back(self, reason: str) -> None:
        """No client can be accepted now. Reported once, however often it is tried again."""
        self._no_room = True
        self._forget_listeners()
        if not self._no_room_told:
            self._no_room_told = True
            self._registry.fail(None, reason, "")

    def _admit(self, accepted: socket.socket, peer: Any) -> None:
        reason = self._refusal(host_of(peer) if isinstance(peer, tuple) else None)  # a Unix domain socket's is a path
        if reason:
            where = place_of(peer)
            accepted.close()
            self._registry.deny(where, reason)
            return
        if self._handshakes is None:
            self._use_up()
        self._adopt(accepted, peer)

    def may_enter(self, peer: Any) -> bool:
        """Whether a client whose handshake is complete is let in; one that is not is reported as denied.

        To be called in the thread of the handshakes.
        """
        if self._stopping:
            return False
        if self._registry.full:
            self._registry.deny(place_of(peer), self._limit_reached())
            return False
        self._use_up()
        return True

    def _use_up(self) -> None:
        """With ``once``: this is the client. Before it is served, so that one that is answered knows that it is alone."""
        if self._once:
            self._stopping = True
            self._close_listener_now()
            self._drop_handshakes("another client was first")

    def _drop_handshakes(self, reason: str) -> None:
        if self._handshakes is not None:
            if self._call is None:
                self._handshakes.drop_all(reason)
            else:
                self._call(self._handshakes.drop_all, reason)
