"""A recording as a transcript for people: time, connection, direction, and what was said, made printable or as hex."""

from __future__ import annotations

from datetime import UTC, datetime

from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark
from wirecat.views.units import plural, size, span
from wirecat.wire.hexdump import hexdump
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wirecat.recording.model import RecordedConnection
    from wirecat.recording.reader import Recording

ARROWS = {CLIENT: ">", SERVER: "<"}
_SIDES = {CLIENT: "the client", SERVER: "the server", "": "nobody knows whom"}


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

    def lines(self, entry: Chunk | Mark) -> list[str]:
        """The lines of one entry; none for what people need not see."""
        said = self._chunk(entry) if isinstance(entry, Chunk) else self._mark(entry)
        if not said:
            return []
        lines = []
        if self._last_ns is not None and entry.time_ns - self._last_ns >= self._gap_ns > 0:
            lines.append(f"… {span((entry.time_ns - self._last_ns) / 1e9)}")
        self._last_ns = entry.time_ns
        first, *rest = said
        return list(map(printable, (*lines, f"{clock(entry.time_ns)} {first}", *rest)))

    def _chunk(self, chunk: Chunk) -> list[str]:
        who = f"#{chunk.connection} {ARROWS[chunk.sender]}"
        lines = [f"{who} ({chunk.missing} bytes are missing here)"] if chunk.missing else []
        if self._hexadecimal:
            dump = hexdump(chunk.data).decode("ascii").splitlines()
            return [*lines, f"{who} {len(chunk.data)} bytes", *(f"  {line.rstrip()}" for line in dump)]
        pieces = chunk.data.splitlines(keepends=True) or [b""]
        blank = " " * (len(clock(0)) + len(who))
        return [*lines, f"{who} {printable(pieces[0])}", *(f"{blank}  {printable(each)}" for each in pieces[1:])]

    def _mark(self, mark: Mark) -> list[str]:
        if mark.connection is None:
            return [] if mark.name in ("recording", "ended") else [_about_all(mark)]
        who = f"#{mark.connection}"
        connection = self._connections.get(mark.connection)
        if mark.name == "opened" and connection is not None:
            return [f"{who} {opened(connection)}"]
        if mark.name == "closed" and connection is not None:
            return [f"{who} {closed(connection)}"]
        if mark.name == "end":
            return [f"{who} {ARROWS[mark.sender]} (end)"]
        if mark.name == "reset":
            return [f"{who} {ARROWS[mark.sender]} (broke off)"]
        if mark.name == "missing":
            return [f"{who} {ARROWS[mark.sender]} ({mark.text})"]
        return [f"{who} is recorded no more"] if mark.name == "detached" else []


def clock(time_ns: int) -> str:
    """The time of day on this machine's clock, with microseconds."""
    return datetime.fromtimestamp(time_ns // 10**9, UTC).astimezone().strftime("%H:%M:%S") + (
        f".{time_ns % 10**9 // 1000:06d}"
    )


def opened(connection: RecordedConnection) -> str:
    """Who connected to whom, and how."""
    client, server = (_name(side.address) for side in (connection.client, connection.server))
    words = [connection.protocol]
    if connection.tls is not None:
        words.append(f"{printable(str(connection.tls.get('version', '')))}, shown decrypted")
    if connection.handler:
        words.append(f"handler {connection.handler}")
    if connection.joined:
        words.append("it was open before")
    if connection.guessed:
        words.append("who is the client is a guess")
    return f"{client} connected to {server} ({'; '.join(words)})"


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
    lines = [f"{', '.join(map(printable, recording.files))}: recorded{who}{where}{verb}"]
    if recording.started_ns is not None and recording.ended_ns is not None:
        began = datetime.fromtimestamp(recording.started_ns / 1e9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        lasted = span((recording.ended_ns - recording.started_ns) / 1e9)
        lines.append(f"{began}, {lasted}, {plural(len(recording.connections), 'connection')}")
    return lines


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
    missing = sum(each.missing for each in recording.connections)
    if missing:
        lines.append(f"{plural(missing, 'byte')} that went over the wire are not in it")
    repeated = sum(each.client.repeated + each.server.repeated for each in recording.connections)
    late = sum(each.client.out_of_order + each.server.out_of_order for each in recording.connections)
    if repeated or late:
        lines.append(
            f"{plural(repeated, 'byte')} went twice, {plural(late, 'packet')} out of order: shown once, in order"
        )
    if recording.other_packets:
        lines.append(f"{plural(recording.other_packets, 'packet')} of other kinds or in fragments, which are not shown")
    return lines


def _about_all(mark: Mark) -> str:
    kind = {"sockets": "socket table: ", "problem": "damaged: ", "lost": "not recorded: "}.get(mark.name, "")
    return f"{kind}{mark.text}"


def _name(address: object) -> str:
    return printable(str(address)) or "a program of this PC"
