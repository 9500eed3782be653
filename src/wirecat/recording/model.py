"""What a recording holds, as plain data: its connections, the pieces that went over each, and what happened besides.

Whoever recorded it, client or server: here a piece is told by who sent it, ``CLIENT`` or ``SERVER``. Times are whole
nanoseconds since 1970 (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from wirecat.address import Address

CLIENT = "client"
SERVER = "server"
REFUSED = "refused"
UNANSWERED = "unanswered"
_NO_FACTS: Mapping[str, Any] = MappingProxyType({})


def other_side(side: str) -> str:
    """The side that ``side`` talks to."""
    return SERVER if side == CLIENT else CLIENT


class Chunk(NamedTuple):
    """Bytes that ``sender`` sent on connection ``connection``: a piece as the recording program saw it, a whole datagram,
    or (in a capture by others) what one packet brought.

    ``time_ns`` is when it passed; NO_TIME where the file has no time for it. ``missing`` bytes before it were not kept
    or not captured.
    """

    connection: int
    time_ns: int
    sender: str
    data: bytes
    missing: int = 0


class Mark(NamedTuple):
    """An event. ``connection`` is None where it concerns the whole recording.

    ``name``: ``opened``; ``refused`` (the answer to a SYN was a reset); ``unanswered`` (no answer came to
    ``facts["attempts"]`` SYNs); ``end`` (``sender`` sends no more: a FIN); ``reset`` (``sender`` reset the connection);
    ``closed``; ``detached`` (it goes on, but is recorded no more); ``lost`` (data that passed were not kept); ``missing``
    (``facts["bytes"]`` that ``sender`` sent are not in the file); ``sockets`` (a snapshot of the socket table);
    ``note``; ``problem`` (of the file).

    In captures by others also, of what ``sender`` sent: ``retransmission`` (``facts["bytes"]`` came again),
    ``out_of_order`` (a segment came before others that belong in front of it), ``conflict`` (a repeat had other bytes
    than the first copy, at ``facts["offset"]``), ``stray`` (``facts["bytes"]`` came too late to be put in their place),
    ``zero_window`` (``sender`` has no room to receive).

    ``text`` describes it in one line that is safe to print.
    """

    connection: int | None
    time_ns: int
    name: str
    sender: str = ""
    text: str = ""
    facts: Mapping[str, Any] = _NO_FACTS


def missing_mark(connection: int, time_ns: int, sender: str, size: int) -> Mark:
    """The mark for ``size`` bytes that ``sender`` sent behind its last chunk and that are not in the file."""
    text = f"{size} byte{'' if size == 1 else 's'} missing"
    return Mark(connection, time_ns, "missing", sender, text, {"bytes": size})


@dataclass(slots=True)
class Side:
    """One side of a connection, by what it sent: ``data`` bytes in ``chunks`` pieces; bytes ``missing`` in the file.

    In captures by others also: bytes ``repeated`` (sent again), ``conflicts`` (repeats with other bytes than the first
    copy, which is shown), segments that came ``out_of_order``, bytes ``stray`` (too late to be put in their place, and
    left out), ``keep_alives``, and ``zero_windows``: how often it had no room to receive.

    ``ended_ns`` is when it ended or reset its half; None: it did not while the recording went on. ``confirmed_ns`` is
    when the other side acknowledged that end (a FIN).
    """

    address: Address
    data: int = 0
    chunks: int = 0
    missing: int = 0
    repeated: int = 0
    conflicts: int = 0
    out_of_order: int = 0
    stray: int = 0
    keep_alives: int = 0
    zero_windows: int = 0
    ended_ns: int | None = None
    confirmed_ns: int | None = None


@dataclass(slots=True)
class RecordedConnection:
    """A connection, as far as it was recorded.

    ``id`` its number in this recording, from 1; ``protocol`` ``tcp``, ``tls``, ``udp``, ``unix``, …; ``kind`` what the
    recording program was to it: ``client``, ``server``, ``proxy`` or, captured by others, ``captured``;
    ``opened_ns``, ``closed_ns`` (None: still open when the recording ended); ``closed_by`` ``client``, ``server`` or
    ``""`` (unknown): who ended it first; ``reason`` how: ``end``, ``reset``, ``idle``, ``kicked``, …, or ``""``;
    ``handler`` what served it; ``tls`` what TLS agreed on (its bytes are recorded decrypted), or None; ``joined`` whether
    it was open before the recording began; ``guessed`` whether it is a guess which side is the client; ``file`` the
    number of the file that it stands in, from 0; ``facts`` all that the file says about it; ``handshake`` the times of
    SYN, SYN+ACK and ACK, as far as they came; ``outcome`` REFUSED or UNANSWERED where it was attempted by ``attempts``
    SYNs and never opened, else ``""``.
    """

    id: int
    protocol: str
    kind: str
    client: Side
    server: Side
    opened_ns: int
    last_ns: int
    closed_ns: int | None = None
    closed_by: str = ""
    reason: str = ""
    handler: str = ""
    tls: dict[str, Any] | None = None
    joined: bool = False
    guessed: bool = False
    file: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    handshake: list[int] = field(default_factory=list)
    outcome: str = ""
    attempts: int = 0

    def side(self, name: str) -> Side:
        """The side that is called ``CLIENT`` or ``SERVER``."""
        return self.client if name == CLIENT else self.server

    @property
    def missing(self) -> int:
        """Bytes that went over the wire, and are not in the file."""
        return self.client.missing + self.server.missing


@dataclass(frozen=True, slots=True)
class SocketSnapshot:
    """The socket table as it stood: rows with ``protocol``, ``local``, ``peer`` (addresses as texts), ``state`` and, where
    it is known, ``process``."""

    time_ns: int
    rows: tuple[dict[str, Any], ...]
