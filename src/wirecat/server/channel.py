"""The channel between a supervisor and what looks at or serves for it: messages over a socket pair, versioned.

Each message is a JSON object on a line (``wirecat.wire.json_lines``) with a ``type``. The first that the supervisor
sends is ``task``, with ``v``, the version of all that follows; the other end does not go on with one it does not know.

    to a worker                                 from a worker
    task     v, handler, options, …             ready      it could serve
    go       transcript: serve, and tell so     ask        n: may I let in the client that I number so?
             many lines a second of what
             clients say
    admit    n, id: yes, and its number         event      what happened, as an object (see event_messages)
    refuse   n, reason (null: say nothing)      gone       id: admitted, but could not be served
    close    accept no more                     quiet      it accepts no more
    kick     id                                 table      n, rows, more: its connections, and if more follow
    table    n: tell me your connections        ended      stuck: how many handlers would not end
    stop     seconds: drain, then end           fault      text: it cannot serve at all
    cut      end the drain now                  pong       it answers
    ping     do you answer?

The end of the channel is the end of the other side: a worker whose supervisor has gone drains and ends.
"""

from __future__ import annotations

import socket
import threading

from wirecat.endpoints.waiting import wait_readable
from wirecat.wire.json_lines import MessageReader, encode_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

VERSION = 1
_PIECE = 1 << 16


class Channel:
    """One end of the channel, which it owns. ``send`` may be called from any thread, ``receive`` from one."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._reader = MessageReader()
        self._sending = threading.Lock()

    def send(self, type: str, **fields: object) -> bool:
        """Send a message; False where the other end has gone, which ``receive`` tells as well.

        It waits while the other side takes nothing: who sends must not be what a client waits for in an event loop.
        """
        line = encode_message({"type": type, **fields})
        try:
            with self._sending:
                self._end.sendall(line)
        except OSError:
            return False
        return True

    def receive(self, timeout: float | None = None) -> Iterator[dict[str, Any]] | None:
        """The messages that have come, perhaps none; None at the end. It waits ``timeout`` seconds (None: for ever), or
        a little less.

        The messages raise ValueError, as they are taken, at what is none.
        """
        try:
            # A timeout of the socket's own would hold for whoever sends as well, and cut a message in two.
            if timeout is not None and not wait_readable([self._end], timeout):
                return iter(())
            data = self._end.recv(_PIECE)
        except OSError:  # it broke
            return None
        return self._reader.feed(data) if data else None

    def end(self) -> None:
        """End both directions: what was sent still arrives, and a ``receive`` in another thread gives None."""
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was first

    def close(self) -> None:
        """Let go of the socket; to be called when nobody receives any more."""
        self._end.close()
