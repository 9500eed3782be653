"""From a recording to its story: one way through its files, with what it says of itself."""

from __future__ import annotations

from shlex import quote

from wirecat.recording.model import CLIENT, Chunk
from wirecat.views.report.collect import Collector
from wirecat.views.report.story import END, OPEN, RESET, UNKNOWN, SocketLine, SocketTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.recording.model import RecordedConnection
    from wirecat.recording.reader import Recording
    from wirecat.views.report.collect import Open
    from wirecat.views.report.story import Story

_MOST_NOTES = 12
_WITHOUT_HANDSHAKE = ("unix", "exec")
_TALKING = ("connect", "listen", "serve", "swarm")  # verbs of one server, or of its clients


def story_of(recording: Recording, *, title: str = "", author: str = "") -> Story:
    """The story of what ``recording`` holds. Reads its files once more; memory stays bounded.

    Raises what ``Recording.entries`` raises.
    """
    collector = Collector()
    known = {record.id: record for record in recording.connections}
    talks: dict[int, Open] = {}
    for record in recording.connections:
        talks[record.id] = collector.open(
            _name(record.client.address), _name(record.server.address), record.opened_ns,
            protocol=record.protocol, note=_note(record),
        )  # fmt: skip
        if not (record.joined or record.protocol in _WITHOUT_HANDSHAKE):  # else it is not what happened
            talks[record.id].handshake = tuple(record.handshake)
        talks[record.id].captured = record.kind == "captured"
        if record.tls is not None:
            talks[record.id].tls = _tls(record.tls)
    for entry in recording.entries():
        if entry.connection is None or entry.connection not in talks:
            continue
        talk = talks[entry.connection]
        if isinstance(entry, Chunk):
            collector.turn(talk, entry.time_ns, entry.sender == CLIENT, entry.data)
        elif entry.name == "end":
            confirmed = known[entry.connection].side(entry.sender).confirmed_ns
            talk.fin(entry.time_ns, entry.sender == CLIENT, confirmed)
        elif entry.name == "reset":
            talk.close(entry.time_ns, RESET, entry.sender)
    for number, talk in talks.items():
        _end(known[number], talk)
    system = f"{recording.machine} ({recording.system})" if recording.machine and recording.system else ""
    return collector.story(
        tables=[SocketTable(one.time_ns, tuple(_line(row) for row in one.rows)) for one in recording.snapshots],
        sources=[path.replace("\\", "/").rpartition("/")[2] for path in recording.files],
        machine=system or recording.machine or recording.system, commands=_commands(recording),
        notes=_notes(recording), title=title, author=author,
    )  # fmt: skip


def _end(record: RecordedConnection, talk: Open) -> None:
    talk.lost = record.missing
    talk.reason = record.reason
    if talk.ending == RESET:
        talk.closed_by = record.closed_by or talk.closed_by
        return
    if record.closed_ns is not None:
        ending = RESET if record.reason == "reset" else END if record.reason or talk.fins else UNKNOWN
        talk.close(record.closed_ns, ending, record.closed_by)
    else:
        talk.ending = UNKNOWN if record.reason else OPEN


def _note(record: RecordedConnection) -> str:
    """What else is known of a connection: who served it, TLS, an uncommon end. Safe to show: the reader made it so."""
    parts = [record.handler] if record.handler else []
    if record.tls is not None:
        parts.append(_tls(record.tls))
    if record.reason not in ("", "end", "reset"):
        parts.append(record.reason)
    return ", ".join(parts)


def _tls(facts: dict[str, Any]) -> str:
    words = [facts.get(name) for name in ("version", "cipher")]
    return " ".join(["TLS, decrypted", *(word for word in words if isinstance(word, str))])


def _commands(recording: Recording) -> list[str]:
    """A command line with the verb that recorded, its handler and its address: the recording has no other options, some of
    which are secrets. None where the verb served several addresses, or with several handlers."""
    servers = {_with_scheme(record) for record in recording.connections}
    handlers = {record.handler for record in recording.connections}
    if recording.verb not in _TALKING or len(servers) != 1 or len(handlers) != 1:
        return []
    words = [word for word in (handlers.pop(), servers.pop()) if word]
    return [" ".join(["wirecat", recording.verb, *map(quote, words)])]


def _with_scheme(record: RecordedConnection) -> str:
    """The server's address as a command takes it. What went inside TLS may stand in the file as plain TCP."""
    name = _name(record.server.address)
    plain = record.protocol == "tcp" or "://" in name or not record.protocol.isalnum()
    return name if plain else f"{record.protocol}://{name}"


def _notes(recording: Recording) -> list[str]:
    """What is wrong with the files, and what the recorder wrote down."""
    notes = [*recording.problems, *recording.notes]
    if recording.lost_chunks:
        notes.insert(
            0, f"{recording.lost_chunks} pieces ({recording.lost_bytes} bytes) could not be kept by the recorder"
        )
    more = len(notes) + max(0, recording.problem_count - len(recording.problems)) - _MOST_NOTES
    return [*notes[:_MOST_NOTES], f"… {more} more"] if more > 0 else notes


def _name(address: Address) -> str:
    """An address as text. A program that uses a path may be without a name of its own."""
    if address.port is None and not address.path:
        return address.scheme
    return str(address).removeprefix("tcp://")


def _line(row: Any) -> SocketLine:  # a SocketRow
    local = _end_of(row.local_host, row.local_port)
    remote = "*" if row.remote_port is None else _end_of(row.remote_host or "", row.remote_port)
    process = "" if row.pid is None else f"{row.pid}/{row.process}" if row.process else str(row.pid)
    return SocketLine(row.protocol, local, remote, row.state or "-", process)


def _end_of(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
