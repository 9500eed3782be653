"""The few lines by which one wirecat asks another to connect to it: the outside view without a third party.

    asker → peer    WIRECAT-REACH 1 PORT              please connect to me, at this port
    peer  → asker   FROM HOST PORT                    … this is where I come from, and now I do
                    OPEN | REFUSED | TIMEOUT | UNREACHABLE     what came of it
                    DONE                              after a second, in which an open connection was held
                    BUSY                              in place of all that: too many ask

The peer connects to the address that the question came from, to one port, once. So nobody can use it against others.
"""

from __future__ import annotations

from wirecat.wire.framing import ReceiveBuffer, split_ending

OPEN, REFUSED, TIMEOUT, UNREACHABLE = "OPEN", "REFUSED", "TIMEOUT", "UNREACHABLE"
RESULTS = (OPEN, REFUSED, TIMEOUT, UNREACHABLE)
DONE, BUSY = "DONE", "BUSY"

LONGEST_LINE = 100
_GREETING = "WIRECAT-REACH"
_VERSION = "1"


def request_line(port: int) -> bytes:
    """What the asker sends."""
    return f"{_GREETING} {_VERSION} {port}\n".encode()


def read_request(line: str) -> int:
    """The port that is asked for. Raises ValueError for any other line."""
    words = line.split(" ")
    if len(words) != 3 or words[:2] != [_GREETING, _VERSION]:
        raise ValueError("no question of wirecat reach")
    return _port(words[2])


def from_line(host: str, port: int) -> bytes:
    """What the peer says before it connects."""
    return f"FROM {host} {port}\n".encode()


def word_line(word: str) -> bytes:
    """A line of one word."""
    return f"{word}\n".encode()


def read_from(line: str) -> tuple[str, int]:
    """Where the peer comes from, by its own account. Raises ValueError."""
    words = line.split(" ")
    if len(words) != 3 or words[0] != "FROM" or not words[1].isascii():
        raise ValueError("no answer of wirecat reach --serve-peer")
    return words[1], _port(words[2])


class Lines:
    """Lines out of pieces, each of at most 100 bytes; LineTooLong (a ValueError) for a longer one."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = ReceiveBuffer()

    def feed(self, data: bytes) -> None:
        """Take in a piece."""
        self._buffer.feed(data)

    def next(self) -> str | None:
        """The next whole line without its end, or None until there is one."""
        line = self._buffer.take_line(LONGEST_LINE)
        return None if line is None else split_ending(line)[0].decode("ascii", "replace")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise ValueError("no port")
    return int(text)
