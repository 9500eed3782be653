"""A responder over datagrams: one datagram is one piece, and has at most one answer.

What a responder has to say to a new client (``opened``) is sent with the answer to its first datagram, as RFC 867 has it
for the daytime. An empty datagram is a piece like any other. Datagrams have no end that a responder could be told of.
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.server.responder import answer_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.address import Address
    from wirecat.server.responder import Responder


class DatagramResponder:
    """Answers the datagrams of one peer, by responders that ``make`` makes.

    ``finished``: the responder has said all that it had to say; the next datagram gets a new one.
    """

    __slots__ = ("_greeting", "_make", "_responder")

    def __init__(self, make: Callable[[], Responder], peer: Address) -> None:
        self._make = make
        self._responder = make()
        if self._responder.streams:
            raise UsageError("an answer without end is nothing for datagrams", address=peer)
        self._greeting = self._responder.opened()

    @property
    def finished(self) -> bool:
        """See the class."""
        return self._responder.finished and self._greeting is None

    def answer(self, data: bytes) -> bytes | None:
        """The answer to a datagram, None for none. Raises what the responder raises."""
        if self.finished:
            self._responder = self._make()
            self._greeting = self._responder.opened()
        answer = None if self._responder.finished else self._responder.receive(data)
        if self._greeting is not None:
            answer = answer_bytes(self._greeting) + answer_bytes(answer)
            self._greeting = None
        return None if answer is None else answer_bytes(answer)
