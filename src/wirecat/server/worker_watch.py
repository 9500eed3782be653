"""Watches whether workers answer: one that is stopped keeps its clients waiting, and nobody would know why.

A worker that is stopped (SIGSTOP), or whose process gets no time, still has its listening socket: the kernel goes on giving
it its part of the clients.
"""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.server.registry import tell_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.events import Publisher
    from wirecat.server.worker_process import Slot

INTERVAL = 1.0  # seconds between two questions to a worker
SILENCE = 3.0  # seconds without an answer until that is reported


class WorkerWatch:
    """Asks the workers of ``slots`` for a sign of life. ``changed`` is the lock of all that is known of them."""

    def __init__(self, slots: list[Slot], changed: threading.Condition, publisher: Publisher) -> None:
        self._slots = slots
        self._changed = changed
        self._publisher = publisher
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wirecat-worker-watch", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._ending.set()

    def join(self) -> None:
        """Wait for its thread, once the workers have ended."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(INTERVAL):
            with self._changed:
                asked = [slot for slot in self._slots if slot.ready and self._look(slot, monotonic())]
            for slot in asked:
                slot.send("ping")

    def _look(self, slot: Slot, now: float) -> bool:
        """Whether to ask that worker; one that owes an answer for too long is reported."""
        if slot.asked_at is None:
            slot.asked_at = now
            return True
        if not slot.silent and now - slot.asked_at >= SILENCE and slot.process is not None:
            slot.silent = True
            seen = slot.process
            state = "is stopped by a signal" if seen.is_stopped else f"has not answered for {SILENCE:g} s"
            hint = f" To continue it: kill -CONT {seen.pid}." if seen.is_stopped else ""
            tell_failure(self._publisher, f"{seen.name} {state}; its clients, new ones too, wait.{hint}")
        return False

    def answered(self, slot: Slot) -> None:
        """A worker has answered. To be called with the lock held."""
        if slot.silent and slot.asked_at is not None and slot.process is not None:
            seconds = monotonic() - slot.asked_at
            tell_failure(self._publisher, f"{slot.process.name} answers again, after {seconds:.0f} s")
        self.forget(slot)

    def forget(self, slot: Slot) -> None:
        """A worker has ended, or has answered."""
        slot.asked_at, slot.silent = None, False
