"""The connection of a server's peer that has none: a sender of datagrams, whose answers are limited."""

from __future__ import annotations

from wirecat.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.server.reply_limit import ReplyLimit
    from wirecat.stream import Stream


class PeerConnection(Connection):
    """A connection whose sends are limited (see ReplyLimit). What is beyond the limit is dropped and counted, as a network
    would drop it."""

    __slots__ = ("_answered", "_key", "_replies")

    def __init__(self, stream: Stream, id: int, replies: ReplyLimit) -> None:
        super().__init__(stream, id)
        self._replies = replies
        self._key = replies.key_of(stream.peer)
        self._answered = 0  # how many of the bytes received the limit knows of

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Connection: one datagram. Beyond the limit it is not sent, which is no error."""
        if self._key is not None:
            size = data.nbytes if isinstance(data, memoryview) else len(data)
            received = self.bytes_received - self._answered
            self._answered = self.bytes_received
            if not self._replies.allows(self._key, size, received):
                self._replies.withhold(self._key, self.peer, size)
                return
        super().send(data)
