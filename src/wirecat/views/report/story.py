"""What a report tells of, as plain data: talks, their turns, sums over time, round trips, socket tables.

Times are nanoseconds since 1970 (UTC). A story is bounded however long its recording is: of long talks the first turns
are kept, of long turns the first bytes, and everything is counted.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

END, RESET, OPEN, UNKNOWN = "end", "reset", "open", "unknown"
"""How a talk ended: by FIN (or its like), by RST, not at all while it was recorded, or nobody saw."""

CLIENT, SERVER = "client", "server"


@dataclass(frozen=True, slots=True)
class Turn:
    """A piece of bytes as it passed: its ``time``, whether it went ``to_server``, its ``size`` in bytes and its
    ``data``, of which a long piece has only the beginning."""

    time: int
    to_server: bool
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Talk:
    """One connection (of datagrams: one pair of addresses).

    ``number`` counts from 1 in the order of opening; ``client`` and ``server`` are addresses as text; ``closed`` is
    None while it is open. ``ending`` is END, RESET, OPEN or UNKNOWN and ``closed_by`` CLIENT, SERVER or "" (unknown).
    ``handshake`` has the times of SYN, SYN+ACK and ACK, as far as they were seen.
    ``fins`` says when which side ended its half: pairs of a time and whether it went to the server; ``acks`` when which
    side acknowledged such an end.
    ``asked`` and ``answered`` are the bytes of the client and of the server, ``turn_count`` counts all turns, and
    ``turns`` holds those that were kept. ``note`` says what else is known (the handler, TLS), ``lost`` how many bytes
    the recording has not, ``reason`` how the program that recorded called its end (see ``events.Closed``), or "",
    ``tls`` what TLS agreed on, where the bytes are those inside TLS. ``captured`` tells whether its packets were
    captured by another program; else the connection was recorded by wirecat, which sees bytes and ends but no packets.
    ``contents`` is a digest of all that both sides said, in order.
    """

    number: int
    client: str
    server: str
    opened: int
    closed: int | None = None
    protocol: str = "tcp"
    ending: str = UNKNOWN
    closed_by: str = ""
    fins: tuple[tuple[int, bool], ...] = ()
    asked: int = 0
    answered: int = 0
    turn_count: int = 0
    turns: tuple[Turn, ...] = ()
    note: str = ""
    lost: int = 0
    reason: str = ""
    tls: str = ""
    handshake: tuple[int, ...] = ()
    acks: tuple[tuple[int, bool], ...] = ()
    captured: bool = False
    contents: bytes = b""

    @property
    def datagrams(self) -> bool:
        """Whether it has neither a handshake nor an end of its own."""
        return self.protocol in ("udp", "dtls", "unixgram")


@dataclass(frozen=True, slots=True)
class SocketLine:
    """A socket, all as text: ``remote`` is "*" where nobody is at the other end, ``state`` as in RFC 9293."""

    protocol: str
    local: str
    remote: str
    state: str
    process: str = ""


@dataclass(frozen=True, slots=True)
class SocketTable:
    """The machine's socket table as it stood at a ``time``."""

    time: int
    rows: tuple[SocketLine, ...]


@dataclass(frozen=True, slots=True)
class Volume:
    """Bytes over time: ``asked`` and ``answered`` for each slice of ``slice`` nanoseconds from ``start`` on."""

    start: int
    slice: int
    asked: tuple[int, ...] = ()
    answered: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """All that a report is drawn from.

    ``trips`` are round trips in nanoseconds, in rising order: from the last piece of a question to the first of its
    reply. ``commands`` are command lines that do what the recorded one did, ``notes`` what the reader has to say of them
    (a torn end, bytes that were not kept).
    """

    started: int
    ended: int
    talks: tuple[Talk, ...] = ()
    volume: Volume = Volume(0, 1)
    trips: array[int] = field(default_factory=lambda: array("q"))
    tables: tuple[SocketTable, ...] = ()
    sources: tuple[str, ...] = ()
    machine: str = ""
    commands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    title: str = ""
    author: str = ""

    @property
    def seconds(self) -> float:
        """From the first to the last that was seen, in seconds."""
        return (self.ended - self.started) / 1e9

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses that were talked to, each once, in the order of the first talk with each."""
        return tuple(dict.fromkeys(talk.server for talk in self.talks))

    @property
    def captured(self) -> bool:
        """Whether all of it was captured by another program."""
        return bool(self.talks) and all(talk.captured for talk in self.talks)

    def most_open(self) -> int:
        """How many talks were open at the same time, at most."""
        steps = sorted(
            [(talk.opened, 1) for talk in self.talks]
            # One that ends as another begins was not there with it.
            + [(talk.closed, -1) for talk in self.talks if talk.closed is not None]
        )
        most = now = 0
        for _, step in steps:
            now += step
            most = max(most, now)
        return most
