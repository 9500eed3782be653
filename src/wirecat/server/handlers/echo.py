"""The echo service (RFC 862): sends back what it gets."""

from __future__ import annotations

from wirecat.server.responder import Responder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Echo(Responder):
    """Sends each piece back as it came."""

    def receive(self, data: bytes) -> bytes | None:
        return data


def make(argument: str) -> Callable[[], Responder]:
    """A factory of echo responders; takes no argument."""
    return Echo
