"""Recordings read: one pass over the files finds the connections, another brings what went over them.

    recording = read("talk.pcapng")
    for connection in recording.connections: …
    for entry in recording.entries(): …      # Chunk and Mark, in the order of time, read anew from the files

A file of any size is read in pieces; what stays in memory is a few hundred bytes for each connection.
"""

from __future__ import annotations

import heapq
import os
import weakref

from wirecat.errors import UsageError
from wirecat.recording.decoder import Decoder
from wirecat.recording.model import Chunk, Mark, RecordedConnection, SocketSnapshot
from wirecat.recording.source import is_read_once, read_blocks, spooled
from wirecat.recording.time_order import sort_by_time
from wirecat.wire.capture import CaptureParser
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

MOST_PROBLEMS = 100  # that are kept; how many there were is counted


class Recording:
    """What was found in one or more files.

    ``files`` their paths; ``connections`` in the order of their numbers; ``snapshots`` of the socket table; ``machine``,
    ``program`` (``wirecat 0.1.0``), ``system`` and ``verb`` of who recorded it, empty where the file does not say;
    ``started_ns`` and ``ended_ns`` the first and the last time in it (nanoseconds since 1970; None: nothing is in it);
    ``notes`` what stands in it as text; ``problems`` what could not be read, each in one line, and ``problem_count`` how many
    there were; ``torn`` whether a file ends in the middle of something; ``complete`` whether all were ended in an orderly
    way; ``lost_chunks`` and ``lost_bytes`` what the recorder could not keep; ``left_out`` how many packets are not shown,
    by the name of what they are (``ARP``, ``GTP``, …).
    """

    def __init__(self, files: tuple[str, ...]) -> None:
        self.files = files
        self.spools: dict[str, BinaryIO] = {}  # what files gave that can be read only once
        self.connections: list[RecordedConnection] = []
        self.snapshots: list[SocketSnapshot] = []
        self.machine = ""
        self.program = ""
        self.system = ""
        self.verb = ""
        self.started_ns: int | None = None
        self.ended_ns: int | None = None
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.problem_count = 0
        self.torn = False
        self.complete = True
        self.lost_chunks = 0
        self.lost_bytes = 0
        self.left_out: dict[str, int] = {}

    def entries(self, connections: Iterable[int] | None = None) -> Iterator[Chunk | Mark]:
        """All that happened, in the order of time; only of ``connections`` (their numbers) where they are given.

        Reads the files anew. Raises UsageError where one is no longer there.
        """
        wanted = None if connections is None else frozenset(connections)
        for entry in Reading(self.files, spools=self.spools).entries():
            if wanted is None or entry.connection in wanted:
                yield entry

    def chunks(self, connection: int) -> Iterator[Chunk]:
        """What went over one connection."""
        for entry in self.entries((connection,)):
            if isinstance(entry, Chunk):
                yield entry

    def connection(self, id: int) -> RecordedConnection | None:
        """The connection of that number."""
        return next((each for each in self.connections if each.id == id), None)

    def note(self, entry: Chunk | Mark) -> None:
        """Take in what ``entry`` says of the recording as a whole."""
        if isinstance(entry, Mark):
            _note(self, entry)

    def complete_from(self, reading: Reading) -> None:
        """Take in what ``reading``, which is at its end, found besides its entries."""
        self.connections = [reading.connections[number] for number in sorted(reading.connections)]
        for decoder in reading.decoders:
            _describe(self, decoder)


class Reading:
    """One way through the files, in the order of time; ``connections`` by number, as far as they were met.

    ``wait`` is called at the end of a file that may still grow; while it returns True, reading is tried again. Numbers
    are given in the same way each time.
    """

    def __init__(
        self,
        files: tuple[str, ...],
        wait: Callable[[], bool] | None = None,
        spools: Mapping[str, BinaryIO] | None = None,
    ) -> None:
        self.files = files
        self._wait = wait
        self._spools = spools or {}
        self.connections: dict[int, RecordedConnection] = {}
        self.decoders = [Decoder(number, self._number) for number in range(len(files))]
        self._known: dict[str, RecordedConnection] = {}
        self._highest = 0

    def _number(self, record: RecordedConnection, key: str) -> RecordedConnection:
        """The number that the file has for it, if that is free. One that goes on in another part of a recording is known
        already."""
        if key and key in self._known:
            return self._known[key]
        if record.id < 1 or record.id in self.connections:
            record.id = self._highest + 1
        self._highest = max(self._highest, record.id)
        self.connections[record.id] = record
        if key:
            self._known[key] = record
        return record

    def entries(self) -> Iterator[Chunk | Mark]:
        """All that happened. Raises UsageError for a file that cannot be opened or is no recording."""
        ways = [
            _entries_of(path, decoder, self._wait, self._spools.get(path))
            for path, decoder in zip(self.files, self.decoders, strict=True)
        ]
        if len(ways) == 1:
            return ways[0]
        return heapq.merge(*ways, key=lambda entry: entry.time_ns)


def _entries_of(
    path: str, decoder: Decoder, wait: Callable[[], bool] | None, spool: BinaryIO | None
) -> Iterator[Chunk | Mark]:
    parser = CaptureParser()
    take = decoder.take
    found: list[Chunk | Mark] = []
    for block in read_blocks(path, wait and (lambda: not decoder.ended and wait()), spool):
        if isinstance(block, str):
            found.append(decoder.problem(block, torn=True))
            break
        for item in parser.feed(block):
            take(item, found)
        sort_by_time(found)
        yield from found
        found.clear()
        if parser.kind == "unknown" and decoder.first_ns is None:
            break
    for item in parser.finish():
        take(item, found)
    if parser.kind == "unknown" and decoder.first_ns is None:
        raise UsageError("this is no recording (neither pcapng nor pcap)", address=path, step="read")
    if parser.wrong_times:
        count = parser.wrong_times
        are = "1 packet has a time that makes" if count == 1 else f"{count} packets have times that make"
        found.append(decoder.problem(f"{are} no sense, and {'is' if count == 1 else 'are'} kept without a time"))
    decoder.finish(found)
    sort_by_time(found)
    yield from found


def read(*paths: str | os.PathLike[str]) -> Recording:
    """Read what ``paths`` hold: recordings, or captures in pcapng or pcap format, of which several are put together.

    Raises UsageError for a file that cannot be opened or is nothing of the kind. What is damaged is read as far as it
    goes, and reported in ``problems``. What can be read only once (``-`` is standard input, a pipe) is kept in a temporary
    file.
    """
    if not paths:
        raise UsageError("no recording is named", step="read")
    recording = Recording(tuple(os.fspath(path) for path in paths))
    for path in filter(is_read_once, recording.files):
        recording.spools[path] = spool = spooled(path)
        weakref.finalize(recording, spool.close)
    way = Reading(recording.files, spools=recording.spools)
    for entry in way.entries():
        recording.note(entry)
    recording.complete_from(way)
    return recording


def _note(recording: Recording, mark: Mark) -> None:
    if mark.name == "sockets":
        recording.snapshots.append(SocketSnapshot(mark.time_ns, mark.facts["rows"]))
    elif mark.name == "note":
        recording.notes.append(mark.text)
    elif mark.name == "lost":
        for name, key in (("lost_chunks", "chunks"), ("lost_bytes", "bytes")):
            count = mark.facts.get(key)
            if isinstance(count, int) and count > 0:
                setattr(recording, name, getattr(recording, name) + count)
    elif mark.name == "problem":
        recording.problem_count += 1
        if len(recording.problems) < MOST_PROBLEMS:
            recording.problems.append(mark.text)
        recording.torn = recording.torn or bool(mark.facts.get("torn"))


def _describe(recording: Recording, decoder: Decoder) -> None:
    """What a file says about itself."""
    about = decoder.about
    for name, otherwise in (("machine", ""), ("verb", ""), ("program", decoder.section.program), ("system", "")):
        value = about.get(name) or otherwise
        if isinstance(value, str) and not getattr(recording, name):
            setattr(recording, name, printable(value[:200]))
    recording.system = recording.system or printable(decoder.section.system[:200])
    for name, count in decoder.left_out.items():
        recording.left_out[name] = recording.left_out.get(name, 0) + count
    if about and not decoder.ended:
        recording.complete = False
    if decoder.first_ns is not None:
        known = [time for time in (recording.started_ns, decoder.first_ns) if time is not None]
        recording.started_ns = min(known)
        recording.ended_ns = max(recording.ended_ns or 0, decoder.last_ns)
