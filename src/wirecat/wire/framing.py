"""Framing: from pieces, as they arrive, to whole lines or exact counts. Shared by both kinds of connection.

TCP keeps no boundaries: two sends may come as one piece, one send as several, a piece may end in the middle of a UTF-8
character. What is cut here is bytes; text is decoded only once a line is whole.
"""

from __future__ import annotations

from wirecat.errors import LineTooLong, UsageError

LONGEST_LINE = 65536  # bytes, its end not counted


def decode(data: bytes | bytearray) -> str:
    """Text from bytes: UTF-8, and what is no UTF-8 survives as lone surrogates (PEP 383)."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str | bytes) -> bytes:
    """Bytes from text: the inverse of ``decode``; bytes stay as they are."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


class ReceiveBuffer:
    """What has arrived and was not taken yet.

    >>> buffer = ReceiveBuffer()
    >>> buffer.feed(b"one\\r\\ntw")
    >>> buffer.take_line(), buffer.take_line()
    (b'one\\r\\n', None)
    >>> buffer.feed_end()
    >>> buffer.take_line(), buffer.take_line()
    (b'tw', b'')
    """

    __slots__ = ("_data", "_ended", "_searched")

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0  # up to here there is no line's end: a long line is not searched again with every piece
        self._ended = False

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take in what arrived."""
        self._data += data

    def feed_end(self) -> None:
        """The stream has ended: what is left is a last line without its end."""
        self._ended = True

    def peek(self, limit: int) -> bytes:
        """What ``take`` would give, and it stays."""
        return bytes(self._data[:limit])

    def take(self, limit: int) -> bytes:
        """At most ``limit`` bytes of what is there; empty if there is nothing. Raises UsageError for less than 0."""
        if limit < 0:
            raise UsageError(f"there are no {limit} bytes", step="receive")
        taken = bytes(self._data[:limit])
        del self._data[: len(taken)]
        self._searched = 0
        return taken

    def take_exactly(self, count: int) -> bytes | None:
        """``count`` bytes, or None while fewer are there. Raises UsageError for less than 0."""
        return self.take(count) if len(self._data) >= count else None

    def take_line(self, longest: int = LONGEST_LINE) -> bytes | None:
        """The next line with its end as it came (``\\n`` or ``\\r\\n``); None while there is no whole one; ``b""`` after the
        last, once the stream has ended.

        Raises LineTooLong if a line has more than ``longest`` bytes; the bytes stay, so ``take`` can still have them.
        """
        place = self._data.find(b"\n", self._searched)
        if place < 0 and not self._ended:
            self._searched = len(self._data)
            # A CR at the end may be half of the line's end.
            if len(self._data) - (self._data[-1:] == b"\r") > longest:
                raise LineTooLong(f"a line of more than {longest} bytes without its end", step="receive")
            return None
        length = place + 1 if place >= 0 else len(self._data)
        body = length - (place >= 0) - (self._data[max(0, place - 1) : place] == b"\r" if place > 0 else 0)
        if body > longest:
            raise LineTooLong(f"a line of more than {longest} bytes", step="receive")
        return self.take(length)


def split_ending(line: bytes) -> tuple[bytes, bytes]:
    """A line's text and its end (``\\n``, ``\\r\\n``, or nothing for a last line without)."""
    if line.endswith(b"\r\n"):
        return line[:-2], b"\r\n"
    if line.endswith(b"\n"):
        return line[:-1], b"\n"
    return line, b""
