"""Newlines on what is sent: as typed, as CRLF, or none at all. The state is kept across pieces."""

from __future__ import annotations

from wirecat.errors import UsageError

NEWLINES = {"lf": b"\n", "crlf": b"\r\n", "none": b""}


class NewlineTranslator:
    """Turns the LF that ends each typed line into what the peer wants.

    ``crlf`` puts a CR before each LF that has none (ncat's ``-C``); ``none`` drops each LF, and the CR before it.
    Raises UsageError for a newline that is not in NEWLINES.

    >>> NewlineTranslator("crlf").feed(b"a\\nb\\r\\n")
    b'a\\r\\nb\\r\\n'
    """

    __slots__ = ("_held", "_last", "newline")

    def __init__(self, newline: str) -> None:
        if newline not in NEWLINES:
            raise UsageError(f"unknown newline {newline!r}", hint=f"There are: {', '.join(NEWLINES)}.")
        self.newline = newline
        self._last = b""
        self._held = False  # a CR whose LF may be in the next piece (``none`` only)

    def feed(self, data: bytes) -> bytes:
        """Translate the next piece."""
        if self.newline == "crlf":
            if not data:
                return data
            out = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data
            out = out.replace(b"\n", b"\r\n")
            if data[:1] == b"\n" and self._last == b"\r":
                out = out[1:]
            self._last = data[-1:]
            return out
        if self.newline == "none":
            if self._held:
                data, self._held = b"\r" + data, False
            if data[-1:] == b"\r":
                data, self._held = data[:-1], True
            return data.replace(b"\r\n", b"").replace(b"\n", b"")
        return data

    def finish(self) -> bytes:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, False
        return b"\r" if held else b""
