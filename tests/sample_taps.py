"""Taps for tests: one that remembers, one that replaces, one that holds back."""

from __future__ import annotations

from typing import Any

from wirecat.taps.tap import RECEIVED, SENT, Tap


class Recorder(Tap):
    """Sees, and keeps what it has seen."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, bytes]] = []
        self.ends: list[str] = []
        self.times: list[float] = []
        self.ids: set[int] = set()

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        assert type(data) is bytes
        self.chunks.append((direction, data))
        self.times.append(when)
        self.ids.add(connection)
        return b"ignored, because it does not alter"

    def finish(self, connection: int, direction: str) -> bytes:
        self.ends.append(direction)
        return b"ignored as well"

    def bytes_of(self, direction: str) -> bytes:
        return b"".join(data for way, data in self.chunks if way == direction)


class Replace(Tap):
    """Alters: each chunk becomes what a function makes of it."""

    alters = True

    def __init__(self, what: Any, last: bytes = b"") -> None:
        self.what = what
        self.last = last

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        return self.what(data)  # type: ignore[no-any-return]

    def finish(self, connection: int, direction: str) -> bytes:
        return self.last


class HoldLast(Tap):
    """Alters: holds the last byte of each direction back until more comes, as a translator of pairs does."""

    alters = True

    def __init__(self) -> None:
        self.held = {RECEIVED: b"", SENT: b""}

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        data = self.held[direction] + data
        self.held[direction] = data[-1:]
        return data[:-1]

    def finish(self, connection: int, direction: str) -> bytes:
        held, self.held[direction] = self.held[direction], b""
        return held
