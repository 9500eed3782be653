"""The acceptor for responders at ports without connections: it works in the listener's own thread, as their engine does."""

from __future__ import annotations

import traceback
from time import monotonic

from wirecat.server.datagram_admission import DatagramAdmission

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.endpoints.whole_datagrams import WholeDatagrams
    from wirecat.server.datagram_engine import DatagramEngine, Session


class DatagramWatcher(DatagramAdmission):
    """As DatagramAdmission, for ``engine``, which makes room for a new peer by itself."""

    def __init__(self, *arguments: Any, engine: DatagramEngine, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._engine = engine
        self._next_sweep = 0.0
        if self._once:
            engine.on_admitted = self._listener.close

    def start(self) -> None:
        """Begin to serve."""
        self._next_sweep = monotonic() + self._sweep
        self._listener.watch(self._open_peer, self._tick)

    def stop_accepting(self) -> None:
        """Admit no new peers. The open ones go on, and keep the port until they have ended."""
        self._listener.close()

    def stop(self) -> None:
        """Close the listener; its thread ends with its last peer."""
        self._listener.close()
        self._report_withheld()

    def _open_peer(self, stream: WholeDatagrams) -> Session | None:
        if not self._is_allowed(stream.peer):
            return None
        if self._registry.full and not self._evict:
            self._deny_full(stream.peer)
            return None
        try:
            return self._engine.serve(stream)
        except Exception as error:  # whatever it is, it concerns this one peer
            self._registry.fail(None, error, traceback.format_exc())
            return None

    def _tick(self) -> float:
        now = monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + self._sweep
            self._sweep_idle(now)
            self._engine.sweep(now)
            self._report_withheld()
        return min(self._engine.tick(now), self._next_sweep - now)
