"""The acceptor for ports without connections: a peer is there with its first datagram, and gone when it is silent.

It does for a listener that tells peers apart by their datagrams what the Acceptor does for connections. Its listener
reads the socket in a thread of its own; here its new peers are let in or not, and idle ones are found.
"""

from __future__ import annotations

import threading
import traceback
from time import monotonic

from wirecat.server.admission import Admission
from wirecat.server.answer_rate import OnceASecond

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.stream import Stream


class DatagramAcceptor(Admission):
    """As Acceptor; ``adopt`` is given the streams of new peers. A peer that is turned away is told once a second."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
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
        reason = self._refusal(host)
        if not reason:
            self._adopt(stream)
            return True
        peer = stream.peer
        stream.close()
        # Each of its datagrams makes a new peer of it.
        if self._told.now(f"{host} {reason}"):
            self._registry.deny(peer, reason)
        return False
