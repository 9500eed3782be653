"""Responders: handlers without I/O, one object per connection, driven alike by the threads and by the event loop.

To add a built-in handler: a file in ``server/handlers`` with a subclass of ``Responder`` and a ``make`` function,
and a row in ``server/handlers/__init__.py``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Responder:
    """Answers one client. Every method gives the bytes to send, or None for nothing.

    ``finished`` set to True ends the connection once what was given has been sent. A responder with ``streams``
    True is asked for ``more`` whenever everything before has gone out, until it gives None or nothing; the client's
    end does not end it. What a method raises ends this one connection, and is reported.

    On an event loop all connections share one thread: a method that waits lets all of them wait.

    >>> class Shout(Responder):
    ...     def receive(self, data):
    ...         return data.upper()
    >>> Shout().receive(b"hello")
    b'HELLO'
    """

    streams = False
    finished = False

    def opened(self) -> bytes | None:
        """The client has come."""
        return None

    def receive(self, data: bytes) -> bytes | None:
        """A piece arrived (a line without its end, with ``--framing line``)."""
        raise NotImplementedError

    def ended(self) -> bytes | None:
        """The client sends no more; it may still read."""
        return None

    def more(self) -> bytes | None:
        """What comes next of an endless answer (``streams``)."""
        return None


def answer_bytes(answer: Any) -> bytes:
    """A responder's answer as bytes of our own; None is none. Raises TypeError for what is like no bytes."""
    if answer is None:
        return b""
    if isinstance(answer, (bytes, bytearray, memoryview)):
        return bytes(answer)
    hint = "; text is sent as text.encode()" if isinstance(answer, str) else ""
    raise TypeError(f"a responder answers with bytes or None, not {type(answer).__name__}{hint}")
