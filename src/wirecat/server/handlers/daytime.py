"""The daytime service (RFC 867): one line with the date and time, then the end."""

from __future__ import annotations

import time

from wirecat.server.responder import Responder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Daytime(Responder):
    """Sends the local time with its offset in the form of RFC 3339, and closes. What the client sends is ignored."""

    def opened(self) -> bytes | None:
        self.finished = True
        offset = time.strftime("%z")
        return f"{time.strftime('%Y-%m-%d %H:%M:%S')}{offset[:3]}:{offset[3:]}\r\n".encode("ascii")

    def receive(self, data: bytes) -> bytes | None:
        return None


def make(argument: str) -> Callable[[], Responder]:
    """A factory of daytime responders; takes no argument."""
    return Daytime
