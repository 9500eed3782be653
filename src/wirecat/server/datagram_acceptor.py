"""The acceptor for ports without connections: a peer is there with its first datagram, and gone when it is silent.

It does for a listener that tells peers apart by their datagrams what the Acceptor does for connections. Its listener
reads the socket in a thread of its own; here its new peers are let in or not, and idle ones are found.
"""

from __future__ import annotations

import threading
import traceback
from time import monotonic

from wirecat.server.admission import SWEEP
from wirecat.server.answer_rate import OnceASecond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.listener import Listener
    from wirecat.server.access import AccessList
    from wirecat.server.registry import Registry
    from wirecat.stream import Stream


class DatagramAcceptor:
    """As Acceptor; ``serve`` is given the streams of new peers. A peer that is turned away is told once a second."""

    def __init__(
        self,
        listener: Listener,
        registry: Registry,
        access: AccessList,
        serve: Callable[[Stream], None],
        cut: Callable[[Any, str], None],
        *,
        once: bool = False,
        idle_timeout: float | None = None,
    ) -> None:
        self._listener = listener
        self._registry = registry
        self._access = access
        self._serve = serve
        self._cut = cut
        self._once = once
        self._idle_timeout = idle_timeout
        self._sweep = SWEEP if idle_timeout is None else min(SWEEP, max(0.02, idle_timeout / 4))
        self._told = OnceASecond()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wirecat-accept", daemon=True)

    def start(self) -> None:
        """Begin to let peers in."""
        self._thread.start()

    def stop_accepting(self) -> None:
        """Let no new peers in. Those that are there go on, and the port is theirs as long."""
        self._listener.close()

    def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        self._listener.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        next_sweep = monotonic() + self._sweep
        while not self._ending.is_set():
            wait = max(0.0, next_sweep - monotonic())
            try:
                stream = self._listener.accept(wait)
            except TimeoutError:
                pass
            except OSError:  # it is closed: the sweep goes on
                self._ending.wait(wait)
            else:
                self._take(stream)
            now = monotonic()
            if now >= next_sweep:
                next_sweep = now + self._sweep
                self._sweep_idle(now)

    def _take(self, stream: Stream) -> None:
        try:
            admitted = self._admit(stream)
        except Exception as error:  # whatever it is, it concerns this one peer
            stream.close()
            self._registry.fail(None, error, traceback.format_exc())
            return
        if admitted and self._once:
            self._listener.close()

    def _admit(self, stream: Stream) -> bool:
        host = stream.peer.host
        reason = ""
        if host is not None and not self._access.permits(host):
            reason = "not allowed"
        elif self._registry.full:
            reason = f"connection limit reached ({self._registry.limit})"
        if not reason:
            self._serve(stream)
            return True
        peer = stream.peer
        stream.close()
        # Each of its datagrams makes a new peer of it.
        if self._told.now(f"{host} {reason}"):
            self._registry.deny(peer, reason)
        return False

    def _sweep_idle(self, now: float) -> None:
        for connection in self._registry.connections():
            idle = connection.note_traffic(now)
            if self._idle_timeout is not None and idle >= self._idle_timeout and not connection.cut_reason:
                self._cut(connection, "idle")
