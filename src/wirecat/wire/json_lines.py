"""JSON, one object a line: from bytes, as they arrive in pieces, to whole messages, and back. No I/O here.

A line is an object of RFC 8259 in ASCII, ended by LF. Text that is no UTF-8 survives as lone surrogates (PEP 383),
which JSON writes as escapes.
"""

from __future__ import annotations

import json

from wirecat.wire.framing import ReceiveBuffer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LONGEST_MESSAGE = 1 << 24  # bytes; a table of 100,000 connections fits


def encode_message(message: dict[str, Any]) -> bytes:
    """A message as its line, the LF included. Raises ValueError for what JSON has not, such as a NaN."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


class MessageReader:
    """Bytes in, messages out.

    >>> reader = MessageReader()
    >>> list(reader.feed(b'{"type":"ask"}\\n{"ty')), list(reader.feed(b'pe":"stop"}\\n'))
    ([{'type': 'ask'}], [{'type': 'stop'}])
    """

    __slots__ = ("_buffer", "_longest")

    def __init__(self, longest: int = LONGEST_MESSAGE) -> None:
        self._buffer = ReceiveBuffer()
        self._longest = longest

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take in ``data``; each message that is whole by now, in order. What is begun waits for more.

        Raises ValueError at a line that is no object, LineTooLong (a ValueError) at one of more than ``longest`` bytes:
        after that nothing more can be read, for where the next message begins is not known.
        """
        self._buffer.feed(data)
        while (line := self._buffer.take_line(self._longest)) is not None:
            yield _object(line)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no message: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"no message but {type(found).__name__}")
    return found
