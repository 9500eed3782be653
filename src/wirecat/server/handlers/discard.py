"""The discard service (RFC 863): takes everything, answers nothing."""

from __future__ import annotations

from wirecat.server.responder import Responder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Discard(Responder):
    """Throws every piece away."""

    def receive(self, data: bytes) -> bytes | None:
        return None


def make(argument: str) -> Callable[[], Responder]:
    """A factory of discard responders; takes no argument."""
    return Discard
