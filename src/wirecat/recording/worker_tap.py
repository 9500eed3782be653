"""The recording of one of several processes: a file of its own, which readers put together with the others."""

from __future__ import annotations

import os

from wirecat.recording.recorder import Recorder
from wirecat.recording.tap import RecordingTap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "wirecat.recording.worker_tap:open_tap"


class WorkerTap(RecordingTap):
    """A tap that ends its recorder with itself."""

    def __init__(self, recorder: Recorder, **settings: Any) -> None:
        super().__init__(recorder, **settings)
        self._own = recorder

    def close(self) -> None:
        self._own.close()


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
