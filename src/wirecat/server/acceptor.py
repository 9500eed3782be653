"""The accept loop: one thread that lets clients in, and sweeps for idle ones."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from time import monotonic

from wirecat.server import admission
from wirecat.server.admission import SocketAdmission

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Acceptor(SocketAdmission):
    """Admission in a thread of its own; see there for what it takes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ending = False  # no more of anything
        self._closed = threading.Event()  # the listener is closed
        self._selector = selectors.DefaultSelector()
        try:
            self._wake, self._waker = socket.socketpair()
        except BaseException:
            self._selector.close()
            raise
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="wirecat-accept", daemon=True)
        self._registry.on_room = self._room

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
                self._drop_handshakes("shutdown")
            now = monotonic()
            waits = []
            if self._registry.count:
                waits.append(next_sweep - now)
            if self._no_room:
                waits.append(try_again - now)
            if (seconds := self._next_work()) is not None:
                waits.append(seconds)
            ready = self._selector.select(max(0.0, min(waits)) if waits else None)
            woken = False
            for key, _ in ready:
                if key.fileobj is self._wake:
                    self._drain_wake()
                    woken = True
                elif key.data is not None:
                    key.data.on_ready()
                elif not (self._stopping or self._no_room):
                    self._accept_from(key.fileobj)  # type: ignore[arg-type]
                    try_again = monotonic() + admission.RETRY
            self._work()
            now = monotonic()
            if self._no_room and (woken or now >= try_again):
                self._no_room = False
                self._watch_listeners()
            if now >= next_sweep:
                next_sweep = now + self._sweep
                self._sweep_idle(now)
        if not self._closed.is_set():
            self._close_listener()

    def _next_work(self) -> float | None:
        """Seconds until there is other work for this thread."""
        return None

    def _work(self) -> None:
        """Do the other work that is due."""

    def _drain_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass

    def _watch_listeners(self) -> None:
        if not self._stopping:
            for listening in self._listener.sockets:
                self._selector.register(listening, selectors.EVENT_READ)

    def _forget_listeners(self) -> None:
        for listening in self._listener.sockets:
            self._selector.unregister(listening)

    def may_enter(self, peer: Any) -> bool:
        """See SocketAdmission."""
        self._nudge()  # to sweep from now on
        return super().may_enter(peer)

    def _close_listener_now(self) -> None:
        if threading.current_thread() is self._thread:
            self._close_listener()
        else:
            self.stop_accepting()

    def _close_listener(self) -> None:
        for listening in self._listener.sockets:
            with contextlib.suppress(KeyError):
                self._selector.unregister(listening)
        self._listener.close()
        self._closed.set()
