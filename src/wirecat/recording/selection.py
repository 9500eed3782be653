"""Which part of a recording somebody wants to see: whose, which way, when, and what must stand in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wirecat.errors import UsageError
from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wirecat.address import Address
    from wirecat.recording.model import RecordedConnection

_SECONDS = re.compile(r"\d+(\.\d+)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")


class Selection:
    """``peer``: a host, a ``host:port``, a ``:port`` or a path that either side has; ``connection``: a number;
    ``sender``: ``client`` or ``server``; ``pattern``: a regular expression that a chunk holds; ``start`` and ``end``:
    seconds since the recording's first entry, a time of the day it began on (``14:05:30``, this machine's), or an ISO
    time. Raises UsageError for what cannot be read.
    """

    def __init__(
        self,
        *,
        peer: str = "",
        connection: int | None = None,
        sender: str = "",
        pattern: str = "",
        start: str = "",
        end: str = "",
    ) -> None:
        self._peer = peer
        self._connection = connection
        self._sender = sender
        try:
            self._pattern = re.compile(pattern.encode("utf-8", "surrogateescape")) if pattern else None
        except re.error as error:
            raise UsageError(f"{pattern!r} is no regular expression: {error}", step="show") from error
        self._start = start
        self._end = end
        for text in (start, end):
            moment(text or "0", 0)
        self._span: tuple[int, int] | None = None

    def wants(self, entry: Chunk | Mark, connections: Mapping[int, RecordedConnection]) -> bool:
        """Whether ``entry`` is wanted. To be asked about each, in order: the first one tells when it all began."""
        if self._span is None:
            first = entry.time_ns
            self._span = moment(self._start or "0", first), moment(self._end, first) if self._end else 1 << 63
        if not self._span[0] <= entry.time_ns <= self._span[1]:
            return False
        if self._connection is not None and entry.connection != self._connection:
            return False
        if self._peer:
            found = connections.get(entry.connection or 0)
            if found is None or not any(_is_peer(self._peer, side.address) for side in (found.client, found.server)):
                return False
        if self._sender and (entry.sender != self._sender or (isinstance(entry, Mark) and entry.name == "closed")):
            return False
        if self._pattern is not None:
            return isinstance(entry, Chunk) and self._pattern.search(entry.data) is not None
        return True


def moment(text: str, first_ns: int) -> int:
    """A time in nanoseconds since 1970, of a recording that began at ``first_ns``. Raises UsageError."""
    if _SECONDS.fullmatch(text):
        return first_ns + round(float(text) * 1e9)
    try:
        if (clock := _CLOCK.fullmatch(text)) is not None:
            hours, minutes, seconds = clock.groups()
            day = datetime.fromtimestamp(first_ns / 1e9, UTC).astimezone()
            found = day.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
            found += timedelta(seconds=float(seconds or 0))
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        hint = "Write 12.5 (seconds since the beginning), 14:05:30, or 2026-01-31T14:05:30."
        raise UsageError(f"{text!r} is no time", step="show", hint=hint) from error
    return round(found.timestamp() * 1e9)


def sender_of(direction: str) -> str:
    """``client`` or ``server`` for what people write: the name, or the arrow that the transcript shows."""
    known = {CLIENT: CLIENT, SERVER: SERVER, ">": CLIENT, "<": SERVER}
    if direction not in known:
        raise UsageError(f"{direction!r} is no direction", step="show", hint="Write client (>) or server (<).")
    return known[direction]


def _is_peer(wanted: str, address: Address) -> bool:
    if address.port is None:
        return wanted in (address.path, str(address))
    host = address.host or ""
    both = f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
    return wanted in (host, f"[{host}]", both, f":{address.port}", str(address))
