"""The recording of one of several processes: a file of its own, which readers put together with the others."""

from __future__ import annotations

import os
import threading

from wirecat.recording.recorder import Recorder
from wirecat.recording.shortfall import shortfall
from wirecat.recording.socket_watcher import WATCHED, SocketWatcher
from wirecat.recording.tap import RecordingTap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.connection import ConnectionState

NAME = "wirecat.recording.worker_tap:open_tap"


class WorkerTap(RecordingTap):
    """A tap that ends its recorder with itself, and keeps the socket table of the server's port as well: which one that
    is shows when the first connection comes."""

    def __init__(self, recorder: Recorder, **settings: Any) -> None:
        super().__init__(recorder, **settings)
        self._own = recorder
        self._lock = threading.Lock()
        self._watcher: SocketWatcher | None = None
        self._report: Callable[[str], object] = lambda text: None

    def report_to(self, tell: Callable[[str], object]) -> None:
        self._report = self._own.on_trouble = tell

    def opened(self, connection: ConnectionState) -> None:
        server = connection.peer if self._kind == "client" else connection.local
        with self._lock:
            if self._watcher is None and server.port and server.scheme in WATCHED:
                self._watcher = SocketWatcher(self._own, {server.port})
        super().opened(connection)

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close(last_look=False)
        self._own.close()
        if text := shortfall(self._own):
            self._report(text)


def worker_path(path: str, worker: int | str, life: int = 1) -> str:
    """Where a process records: ``talk.worker1.pcapng``; the one that took its place: ``talk.worker1-2.pcapng``."""
    stem, suffix = os.path.splitext(path)
    again = f"-{life}" if life > 1 else ""
    return f"{stem}.worker{worker}{again}{suffix}"


def open_tap(
    *,
    path: str,
    worker: int,
    life: int,
    verb: str,
    strict: bool,
    durable: bool,
    limit: int | None,
    rotate: int | None,
    **settings: Any,
) -> WorkerTap:
    """What a process is told to make (see ``wirecat.taps.named``). Raises UsageError where the file cannot be opened."""
    place = worker_path(path, worker, life)
    recorder = Recorder(place, verb=verb, strict=strict, durable=durable, limit=limit, rotate=rotate)
    return WorkerTap(recorder, **settings)
