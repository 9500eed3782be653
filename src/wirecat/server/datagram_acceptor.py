"""The acceptor for handlers in threads at ports without connections: a peer is new with its first datagram.

It does for a datagram listener what Acceptor does for connections. The listener reads the sockets in a thread of its own;
here its new peers are admitted, and idle ones are found.
"""

from __future__ import annotations

import threading
import traceback
from time import monotonic

from wirecat.server.datagram_admission import DatagramAdmission

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.connection import ConnectionState
    from wirecat.endpoints.whole_datagrams import WholeDatagrams
    from wirecat.server.threads import ThreadEngine

MOST_HANDSHAKES = 256  # at once; each has a thread
EVICTED = "evicted"
EVICTION_TIME = 0.5  # seconds that the handler of an evicted peer gets to end before the new one is turned away


class DatagramAcceptor(DatagramAdmission):
    """As DatagramAdmission; ``adopt`` is given the stream and the number of each new peer."""

    def __init__(self, *arguments: Any, engine: ThreadEngine, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._engine = engine
        engine.may_enter = self.may_enter
        self._entering = threading.Lock()
        self._taken = False  # with ``once``: the one peer has been admitted
        self._streams: dict[int, WholeDatagrams] = {}
        self._ending = threading.Event()
        self._room = threading.Event()
        self._registry.on_room = self._room.set
        self._thread = threading.Thread(target=self._run, name="wirecat-accept", daemon=True)

    def start(self) -> None:
        """Begin to admit peers."""
        self._thread.start()

    def stop_accepting(self) -> None:
        """Admit no new peers. The open ones go on, and keep the port until they have ended."""
        self._listener.close()

    def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        self._listener.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._report_withheld()

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
                self._report_withheld()
                self._forget_ended()

    def _take(self, stream: WholeDatagrams) -> None:
        try:
            admitted = self._admit(stream)
        except Exception as error:  # whatever it is, it concerns this one peer
            stream.close()
            self._registry.fail(None, error, traceback.format_exc())
            return
        if not admitted:
            stream.close()
        elif self._once and stream.ready:
            self._listener.close()

    def may_enter(self, peer: Address) -> bool:
        """A peer whose handshake is complete: whether it is admitted. One that is not is reported."""
        with self._entering:
            if self._taken:
                return False
            if self._registry.full and not (self._evict and self._make_room()):
                self._deny_full(peer)
                return False
            self._taken = self._once
        if self._taken:
            self._listener.close()
        return True

    def _admit(self, stream: WholeDatagrams) -> bool:
        if not self._is_allowed(stream.peer):
            return False
        if not stream.ready:  # it counts when its handshake is complete
            if len(self._engine.handshaking) >= MOST_HANDSHAKES:
                self._deny(stream.peer, f"handshake limit reached ({MOST_HANDSHAKES})")
                return False
        elif self._registry.full and not (self._evict and self._make_room()):
            self._deny_full(stream.peer)
            return False
        number = self._registry.next_id()
        self._streams[number] = stream
        self._adopt(stream, number)
        return True

    def _make_room(self) -> bool:
        """Cut the peer that has been silent longest; whether its handler has ended in time."""
        self._forget_ended()
        candidates = [each for each in self._registry.connections() if each.id in self._streams and not each.cut_reason]
        if not candidates:
            return False
        self._cut(min(candidates, key=self._active_at), EVICTED)
        end = monotonic() + EVICTION_TIME
        while self._registry.full and not self._ending.is_set() and (left := end - monotonic()) > 0:
            self._room.clear()
            if self._registry.full:
                self._room.wait(left)
        return not self._registry.full

    def _active_at(self, connection: ConnectionState) -> float:
        return self._streams[connection.id].active_at

    def _forget_ended(self) -> None:
        open_now = {*self._engine.handshaking, *(connection.id for connection in self._registry.connections())}
        self._streams = {number: stream for number, stream in self._streams.items() if number in open_now}
