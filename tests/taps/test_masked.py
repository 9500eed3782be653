"""A tap that looks on at a proxy sees everything but its clients' credentials."""

from __future__ import annotations

from wirecat.taps.masked import MaskedTap
from wirecat.taps.tap import RECEIVED, SENT, Tap


class Noting(Tap):
    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        self.seen.append((connection, direction, data))
        return None

    def finish(self, connection: int, direction: str) -> bytes:
        self.seen.append((connection, "finish", direction))
        return b""

    def broke(self, connection: int) -> None:
        self.seen.append((connection, "broke"))

    def close(self) -> None:
        self.seen.append(("close",))


def test_masked_tap_masks_what_each_client_sends_and_nothing_else() -> None:
    noting = Noting()
    tap = MaskedTap(noting)
    assert tap.original is noting and not tap.alters
    tap.chunk(1, RECEIVED, b"Proxy-Author", 0.0)
    tap.chunk(2, RECEIVED, b"ization: x\n", 0.0)
    tap.chunk(1, RECEIVED, b"ization: x\n", 0.0)
    tap.chunk(1, SENT, b"Proxy-Authorization: x\n", 0.0)
    tap.finish(1, RECEIVED)
    tap.broke(1)
    tap.close()
    assert noting.seen == [
        (1, RECEIVED, b"Proxy-Author"),
        (2, RECEIVED, b"ization: x\n"),
        (1, RECEIVED, b"ization: *\n"),
        (1, SENT, b"Proxy-Authorization: x\n"),
        (1, "finish", RECEIVED),
        (1, "broke"),
        ("close",),
    ]
