"""A recording as a transcript for people: time, connection, direction, and what was said, made printable or as hex."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from wirecat.recording.model import CLIENT, REFUSED, SERVER, UNANSWERED, Chunk, Mark
from wirecat.views.units import plural, size, span
from wirecat.wire.hexdump import hexdump
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wirecat.recording.model import RecordedConnection
    from wirecat.recording.reader import Recording

ARROWS = {CLIENT: ">", SERVER: "<"}
_SIDES = {CLIENT: "the client", SERVER: "the server", "": "an unknown side"}
_MOST_ATTEMPTS = 10  # that are listed one by one; a port scan has thousands
_NO_CLOCK = "--:--:--.------"
_MARKS = {
    "end": "end", "reset": "reset", "conflict": "sent again with other bytes; the first copy is shown",
    "zero_window": "window 0: no room to receive",
}  # fmt: skip


class Transcript:
    """Turns entries, in order, into lines. ``>`` is what the client sent, ``<`` what the server sent; each chunk begins
    with its time. ``hexadecimal`` shows bytes as hex. A silence of ``gap`` seconds or more gets a line of its own."""

    def __init__(
        self, connections: Mapping[int, RecordedConnection], *, hexadecimal: bool = False, gap: float = 1.0
    ) -> None:
        self._connections = connections
        self._hexadecimal = hexadecimal
        self._gap_ns = int(gap * 1e9)
        self._last_ns: int | None = None
        self._attempts = 0

    def lines(self, entry: Chunk | Mark) -> list[str]:
        """The lines of one entry; none for what people need not see."""
        said = self._chunk(entry) if isinstance(entry, Chunk) else self._mark(entry)
        if not said:
            return []
        lines = []
        if entry.time_ns >= 0:
            if self._last_ns is not None and entry.time_ns - self._last_ns >= self._gap_ns > 0:
                lines.append(f"… {span((entry.time_ns - self._last_ns) / 1e9)}")
            self._last_ns = entry.time_ns
        first, *rest = said
        return list(map(printable, (*lines, f"{clock(entry.time_ns)} {first}", *rest)))

    def _chunk(self, chunk: Chunk) -> list[str]:
        who = f"#{chunk.connection} {ARROWS[chunk.sender]}"
        lines = []
        if chunk.missing:
            lines.append(f"{who} ({_bytes(chunk.missing)} missing here)")
            who = " " * len(clock(chunk.time_ns)) + " " + who
        if self._hexadecimal:
            dump = hexdump(chunk.data).decode("ascii").splitlines()
            return [*lines, f"{who} {len(chunk.data)} bytes", *(f"  {line.rstrip()}" for line in dump)]
        pieces = chunk.data.splitlines(keepends=True) or [b""]
        blank = " " * (len(_NO_CLOCK) + len(who.lstrip()))
        return [*lines, f"{who} {printable(pieces[0])}", *(f"{blank}  {printable(each)}" for each in pieces[1:])]

    def _mark(self, mark: Mark) -> list[str]:
        if mark.connection is None:
            return [] if mark.name in ("recording", "ended") else [_about_all(mark)]
        who = f"#{mark.connection}"
        connection = self._connections.get(mark.connection)
        if mark.name in ("opened", REFUSED, UNANSWERED) and connection is not None:
            if mark.name != "opened":
                self._attempts += 1
                if self._attempts > _MOST_ATTEMPTS:
                    return []
            return [f"{who} {opened(connection)}"]
        if mark.name == "closed" and connection is not None:
            return [f"{who} {closed(connection)}"]
        if mark.name == "missing":
            return [f"{who} {ARROWS[mark.sender]} ({mark.text})"]
        if mark.name in _MARKS:
            where = f" at byte {mark.facts['offset']:,}" if "offset" in mark.facts else ""
            return [f"{who} {ARROWS[mark.sender]} ({_MARKS[mark.name]}{where})"]
        return [f"{who} is recorded no more"] if mark.name == "detached" else []

    def finish(self) -> list[str]:
        """What is left to say at the end."""
        more = self._attempts - _MOST_ATTEMPTS
        return [f"… and {more:,} more {'attempt' if more == 1 else 'attempts'} to connect"] if more > 0 else []


def clock(time_ns: int) -> str:
    """The time of day on this machine's clock, with microseconds; dashes where there is no time."""
    if time_ns < 0:
        return _NO_CLOCK
    return datetime.fromtimestamp(time_ns // 10**9, UTC).astimezone().strftime("%H:%M:%S") + (
        f".{time_ns % 10**9 // 1000:06d}"
    )


def opened(connection: RecordedConnection) -> str:
    """Between whom a connection was, and how it began."""
    client, server = (_name(side.address) for side in (connection.client, connection.server))
    words = [connection.protocol]
    if connection.tls is not None:
        words.append(f"{printable(str(connection.tls.get('version', '')))}, shown decrypted")
    if connection.handler:
        words.append(f"handler {connection.handler}")
    if connection.guessed:
        words.append("which side is the client is a guess")
    facts = f"({'; '.join(words)})"
    if connection.outcome == REFUSED:
        return f"{client} tried to connect to {server}: refused {facts}"
    if connection.outcome == UNANSWERED:
        return f"{client} tried to connect to {server}: no answer to {plural(connection.attempts, 'SYN')} {facts}"
    if connection.joined:
        return f"{client} and {server} were connected before the recording began {facts}"
    if connection.protocol == "udp" and connection.kind == "captured":
        return f"{client} sent a datagram to {server} {facts}"
    return f"{client} connected to {server} {facts}"


def closed(connection: RecordedConnection) -> str:
    """Who ended it, how, after how long, and what it carried."""
    lasted = span(((connection.closed_ns or connection.last_ns) - connection.opened_ns) / 1e9)
    reason = "" if connection.reason in ("end", "") else f" ({connection.reason})"
    carried = f"{size(connection.client.data)} >, {size(connection.server.data)} <"
    return f"closed by {_SIDES[connection.closed_by]}{reason} after {lasted}: {carried}"


def heading(recording: Recording) -> list[str]:
    """What a recording is, in a line or two."""
    who = f" by {recording.program}" if recording.program else ""
    where = f" on {recording.machine}" if recording.machine else ""
    verb = f" ({recording.verb})" if recording.verb else ""
    files = ", ".join(map(printable, recording.files))
    lines = [f"{files}: recorded{who}{where}{verb}" if who or where or verb else f"{files}: a capture"]
    if recording.started_ns is not None and recording.ended_ns is not None:
        began = datetime.fromtimestamp(recording.started_ns / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        lasted = span((recording.ended_ns - recording.started_ns) / 1e9)
        lines.append(f"{began}, {lasted}, {_outcomes(recording)}")
    return lines


def _outcomes(recording: Recording) -> str:
    """How many connections there are, and how many attempts opened none."""
    counts = Counter(each.outcome for each in recording.connections)
    parts = [_count(counts[""], "connection")] if counts[""] or not counts else []
    attempts = _count(counts[UNANSWERED] + counts[REFUSED], "attempt") + " to connect"
    if counts[UNANSWERED] and counts[REFUSED]:
        parts.append(f"{attempts}: {counts[REFUSED]:,} refused, {counts[UNANSWERED]:,} without an answer")
    elif counts[UNANSWERED]:
        parts.append(f"{attempts}, {'not' if counts[UNANSWERED] == 1 else 'none'} answered")
    elif counts[REFUSED]:
        parts.append(f"{attempts}, {'' if counts[REFUSED] == 1 else 'all '}refused")
    return ", ".join(parts)


def shortcomings(recording: Recording) -> list[str]:
    """What is not in a recording, and what could not be read of it: a line each."""
    lines = list(recording.problems)
    if recording.problem_count > len(lines):
        lines.append(f"{recording.problem_count - len(lines)} more of the kind")
    if not recording.complete and not recording.torn:
        lines.append("the recording was not ended in an orderly way, or still goes on")
    if recording.lost_chunks:
        lines.append(
            f"{recording.lost_bytes} bytes in {recording.lost_chunks} pieces could not be kept when it was made"
        )
    sides = [side for each in recording.connections for side in (each.client, each.server)]
    missing, repeated, stray = (sum(getattr(side, name) for side in sides) for name in ("missing", "repeated", "stray"))
    late = sum(side.out_of_order for side in sides)
    if missing:
        lines.append(f"{_bytes(missing)} that went over the wire {'is' if missing == 1 else 'are'} missing")
    if repeated or late:
        lines.append(f"{_bytes(repeated)} sent again, {_count(late, 'segment')} out of order: shown once, in order")
    if stray:
        lines.append(f"{_bytes(stray)} left out: they came before the first segment, or after their gap was given up")
    lines += _conflicts(recording)
    lines += _left_out(recording.left_out)
    return lines


def _conflicts(recording: Recording) -> list[str]:
    """Where bytes were sent again, and were others than the first time."""
    found = [
        f"connection {each.id} {ARROWS[sender]} {each.side(sender).conflicts:,}"
        for each in recording.connections
        for sender in (CLIENT, SERVER)
        if each.side(sender).conflicts
    ]
    if not found:
        return []
    more = f", and {len(found) - _MOST_ATTEMPTS} more" if len(found) > _MOST_ATTEMPTS else ""
    return [f"sent again with other bytes ({', '.join(found[:_MOST_ATTEMPTS])}{more}): the first copy is shown"]


def _left_out(counts: Mapping[str, int]) -> list[str]:
    return [
        f"{count:,} {'packet is' if count == 1 else 'packets are'} {printable(name)}"
        + ("" if name.endswith(("read", "complete")) else ", which is not decoded")
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _bytes(count: int) -> str:
    return _count(count, "byte")


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _about_all(mark: Mark) -> str:
    kind = {"sockets": "socket table: ", "problem": "damaged: ", "lost": "not recorded: "}.get(mark.name, "")
    return f"{kind}{mark.text}"


def _name(address: object) -> str:
    return printable(str(address)) or "a program of this PC"
