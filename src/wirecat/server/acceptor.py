"""The accept loop: one thread that lets clients in, whatever happens to one of them, and sweeps for idle ones.

When descriptors run out (EMFILE, ENFILE) accept(2) fails and the client stays queued: level-triggered polling would
then spin. So the loop stops looking at the listeners until a connection has ended, or a second has passed.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import traceback
from time import monotonic

from wirecat.endpoints.listener import accept_from
from wirecat.endpoints.socket_stream import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.listener import Listener
    from wirecat.server.access import AccessList
    from wirecat.server.registry import Registry

    Adopt = Callable[[socket.socket, Any], None]

SWEEP = 1.0  # seconds between sweeps
RETRY = 1.0  # seconds until accept is tried again when nothing told that there is room
_BATCH = 64  # clients accepted before the other listeners and the sweep have their turn


class Acceptor:
    """Accepts from ``listener``, asks ``access`` and the registry's limit, and hands clients to ``adopt``.

    ``once`` closes the listener with the first admitted client. ``idle_timeout`` seconds without a byte end a
    connection by ``cut(connection, "idle")``.
    """

    def __init__(
        self,
        listener: Listener,
        registry: Registry,
        access: AccessList,
        adopt: Adopt,
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
        self._stopping = False  # no more clients
        self._ending = False  # no more of anything
        self._closed = threading.Event()  # the listener is closed
        self._no_room = False  # accept failed: the listeners are not watched
        self._no_room_told = False
        self._selector = selectors.DefaultSelector()
        try:
            self._wake, self._waker = socket.socketpair()
        except BaseException:
            self._selector.close()
            raise
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="wirecat-accept", daemon=True)
        registry.on_room = self._room

    def start(self) -> None:
        """Begin to accept."""
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._watch_listeners()
        self._thread.start()

    def stop_accepting(self) -> None:
        """Close the listener: the port is free when this returns. The sweep goes on."""
        self._stopping = True
        self._nudge()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._closed.wait()
        else:
            self._listener.close()

    def stop(self) -> None:
        """End the thread."""
        self._ending = True
        self._nudge()
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()
        self._selector.close()
        self._wake.close()
        self._waker.close()

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake already; closed: it has ended
            self._waker.send(b"x")

    def _room(self) -> None:
        if self._no_room:
            self._nudge()

    def _run(self) -> None:
        next_sweep = monotonic() + self._sweep
        try_again = 0.0
        while not self._ending:
            if self._stopping and not self._closed.is_set():
                self._close_listener()
            now = monotonic()
            waits = []
            if self._registry.count:
                waits.append(next_sweep - now)
            if self._no_room:
                waits.append(try_again - now)
            ready = self._selector.select(max(0.0, min(waits)) if waits else None)
            woken = False
            for key, _ in ready:
                if key.fileobj is self._wake:
                    self._drain_wake()
                    woken = True
                elif not (self._stopping or self._no_room):
                    self._accept_from(key.fileobj)  # type: ignore[arg-type]
                    try_again = monotonic() + RETRY
            now = monotonic()
            if self._no_room and (woken or now >= try_again):
                self._no_room = False
                self._watch_listeners()
            if now >= next_sweep:
                next_sweep = now + self._sweep
                self._sweep_idle(now)
        if not self._closed.is_set():
            self._close_listener()

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass

    def _watch_listeners(self) -> None:
        if not self._stopping:
            for listening in self._listener.sockets:
                self._selector.register(listening, selectors.EVENT_READ)

    def _close_listener(self) -> None:
        for listening in self._listener.sockets:
            with contextlib.suppress(KeyError):
                self._selector.unregister(listening)
        self._listener.close()
        self._closed.set()

    def _accept_from(self, listening: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                found = accept_from(listening)
            except OSError as error:
                self._wait_for_room(error)
                return
            if found is None:
                self._no_room_told = False  # the queue is empty: should it come to that again, it is told again
                return
            accepted, peer = found
            try:
                self._admit(accepted, peer)
            except Exception as error:  # whatever it is, it concerns this one client
                accepted.close()
                self._registry.fail(None, error, traceback.format_exc())
                if self._stopping and self._registry.on_empty is not None:  # it was the one
                    self._registry.on_empty()
            if self._stopping:
                return

    def _wait_for_room(self, error: OSError) -> None:
        """No client can be accepted now. Told once, however often it is tried again."""
        self._no_room = True
        for each in self._listener.sockets:
            self._selector.unregister(each)
        if not self._no_room_told:
            self._no_room_told = True
            count = self._registry.count
            are = "1 connection is" if count == 1 else f"{count} connections are"
            text = f"cannot accept: {error.strerror} ({are} open); who comes now waits until one ends"
            self._registry.fail(None, text, "")

    def _admit(self, accepted: socket.socket, peer: Any) -> None:
        reason = ""
        if accepted.family != getattr(socket, "AF_UNIX", None) and not self._access.permits(peer[0]):
            reason = "not allowed"
        elif self._registry.full:
            reason = f"connection limit reached ({self._registry.limit})"
        if reason:
            where = place_of(peer, accepted.family)
            accepted.close()
            self._registry.deny(where, reason)
            return
        if self._once:  # before it is served: who is told anything can know that nobody else will be
            self._stopping = True
            self._close_listener()
        self._adopt(accepted, peer)

    def _sweep_idle(self, now: float) -> None:
        for connection in self._registry.connections():
            idle = connection.note_traffic(now)
            if self._idle_timeout is not None and idle >= self._idle_timeout and not connection.cut_reason:
                self._cut(connection, "idle")
