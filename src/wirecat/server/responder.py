"""Responders: handlers without I/O, one object per connection, driven alike by the threads and by the event loop.

To add a built-in handler: a file in ``server/handlers`` with a subclass of ``Responder`` and a ``make`` function, and a row
in ``server/handlers/__init__.py``.
"""

from __future__ import annotations


class Responder:
    """Answers one client. Every method gives the bytes to send, or None for nothing.

    ``finished`` set to True ends the connection once what was given has been sent. A responder with ``streams`` True is
    asked for ``more`` whenever everything before has gone out, until it gives None; the client's end does not end it.

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
