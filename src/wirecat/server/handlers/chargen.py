"""The character generator (RFC 864): the recommended pattern without end, as fast as the client takes it."""

from __future__ import annotations

from wirecat.server.responder import Responder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PRINTABLE = bytes(range(0x20, 0x7F))  # the 95 printing characters, in a ring
_LINES = b"".join((_PRINTABLE * 2)[start : start + 72] + b"\r\n" for start in range(len(_PRINTABLE)))
_PIECE = _LINES * 4  # 28 KB: few calls, little memory


class Chargen(Responder):
    """Sends lines of 72 characters, each line's begin one further on; what the client sends is thrown away."""

    streams = True

    def receive(self, data: bytes) -> bytes | None:
        return None

    def more(self) -> bytes | None:
        return _PIECE


def make(argument: str) -> Callable[[], Responder]:
    """A factory of chargen responders; takes no argument."""
    return Chargen
