"""From the packets and frames of one file to connections, chunks and marks."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop

from wirecat.address import Address
from wirecat.recording.frames import decode_frame, read_address
from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark, RecordedConnection, Side, other_side
from wirecat.recording.snapshot import read_rows
from wirecat.secret import hide_in_handler
from wirecat.wire import pcapng
from wirecat.wire.capture import Custom, Damage, Packet, Section
from wirecat.wire.packet import Transported, take_apart
from wirecat.wire.printable import printable
from wirecat.wire.reassembly import Reassembler
from wirecat.wire.segment import ACK, FIN, PSH, RST, SYN, TCP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Entry = Chunk | Mark
    End = tuple[bytes, int]

LARGEST_CHUNK = 1 << 24  # bytes that are put together where no boundary comes
_LONGEST_TEXT = 500
_HANDSHAKE = ((CLIENT, SYN), (SERVER, SYN | ACK), (CLIENT, ACK))  # RFC 9293 section 3.5


class Stream:
    """One direction of a connection while it is read: what was sent by ``sender``."""

    __slots__ = ("behind_end", "missing", "parts", "reassembler", "sender", "size")

    def __init__(self, sender: str) -> None:
        self.sender = sender
        self.reassembler = Reassembler()
        self.parts: list[bytes] = []  # of a chunk whose end has not come
        self.size = 0
        self.missing = 0  # before the first of them
        self.behind_end: int | None = None  # the sequence number behind its FIN, until that is acknowledged


class Live:
    """A connection while it is read: ``client_end`` is the client's address and port as they stand in packets."""

    __slots__ = ("client_end", "ours", "record", "streams", "syn")

    def __init__(self, record: RecordedConnection, client_end: End, ours: bool) -> None:
        self.record = record
        self.client_end = client_end
        self.ours = ours  # its boundaries and its order are those of the program, marked by PSH
        self.syn: int | None = None
        self.streams = {CLIENT: Stream(CLIENT), SERVER: Stream(SERVER)}


class Decoder:
    """Give it what ``CaptureParser`` gives, in order, then ``finish``. What it reads of the recording as a whole, and of
    each connection, is noted in ``about`` and by ``on_connection`` (called once for each, which numbers it)."""

    def __init__(self, file: int, on_connection: Callable[[RecordedConnection, str], RecordedConnection]) -> None:
        self.about: dict[str, Any] = {}  # the frame "recording"
        self.section = Section()
        self.ended = False
        self.first_ns: int | None = None
        self.last_ns = 0
        self.other_packets = 0  # neither TCP nor UDP, or fragments
        self._file = file
        self._on_connection = on_connection
        self._lives: dict[tuple[int, frozenset[End]], Live] = {}
        self._by_id: dict[int, Live] = {}

    def item(self, item: Section | Packet | Custom | Damage) -> Iterator[Entry]:
        """The next thing that stands in the file."""
        if isinstance(item, Packet):
            yield from self._packet(item)
        elif isinstance(item, Custom):
            if item.enterprise == pcapng.ENTERPRISE:
                yield from self._custom(item.data)
        elif isinstance(item, Damage):
            yield self._problem(f"{item.size} bytes at {item.offset}: {item.reason}", torn=item.torn, bytes=item.size)
        else:
            self.section = item

    def finish(self) -> Iterator[Entry]:
        """The file has ended."""
        for live in self._lives.values():
            for stream in live.streams.values():
                pieces = stream.reassembler.finish()
                yield from self._pieces(live, stream, pieces, self.last_ns, boundary=False)
                yield from self._boundary(live, stream, self.last_ns)

    def _problem(self, text: str, **facts: Any) -> Mark:
        return Mark(None, self.last_ns, "problem", text=text, facts=facts)

    def _saw(self, time_ns: int) -> None:
        self.first_ns = time_ns if self.first_ns is None else self.first_ns
        self.last_ns = max(self.last_ns, time_ns)

    def _custom(self, data: bytes) -> Iterator[Entry]:
        try:
            fields = decode_frame(data)
        except ValueError as error:
            yield self._problem(f"a frame is damaged: {error}")
            return
        if fields is None:
            return
        time_ns, frame = fields["time_ns"], fields["frame"]
        self._saw(time_ns)
        if frame == "recording":
            self.about = self.about or fields
        elif frame == "opened":
            yield from self._opened(fields, time_ns)
        elif frame in ("closed", "detached"):
            yield from self._closed(fields, time_ns, frame)
        elif frame == "sockets":
            rows = read_rows(fields.get("rows"))
            yield Mark(
                None,
                time_ns,
                "sockets",
                text=f"{len(rows)} socket{'' if len(rows) == 1 else 's'}",
                facts={"rows": rows},
            )
        elif frame == "lost":
            yield Mark(None, time_ns, "lost", text=_text(fields, "text"), facts=fields)
        elif frame == "note":
            yield Mark(None, time_ns, "note", text=_text(fields, "text"), facts=fields)
        elif frame == "ended":
            self.ended = True

    def _opened(self, fields: dict[str, Any], time_ns: int) -> Iterator[Entry]:
        recorded_by = SERVER if fields.get("recorded_by") == SERVER else CLIENT
        local, peer = read_address(fields.get("local")), read_address(fields.get("peer"))
        ends = _ends_of(fields.get("packets"))
        number: Any = fields.get("id")
        if local is None or peer is None or ends is None or not _is_number(number):
            yield self._problem("a frame is damaged: what it says of a connection cannot be read")
            return
        protocol, client_end, server_end = ends
        client, server = (peer, local) if recorded_by == SERVER else (local, peer)
        if fields.get("continued") and number in self._by_id:
            return  # it is known
        tls = fields.get("tls")
        record = RecordedConnection(
            id=number, protocol=_text(fields, "protocol") or "tcp", kind=_text(fields, "kind") or recorded_by,
            client=Side(client), server=Side(server), opened_ns=time_ns, last_ns=time_ns,
            handler=hide_in_handler(_text(fields, "handler")), tls=tls if isinstance(tls, dict) else None,
            joined=bool(fields.get("joined")), file=self._file, facts=fields,
        )  # fmt: skip
        record = self._on_connection(record, f"{self.about.get('uid')}/{number}")
        live = Live(record, client_end, ours=True)
        numbers = fields.get("numbers")
        if isinstance(numbers, list) and len(numbers) == 2 and all(isinstance(each, int) for each in numbers):
            for side, first in zip((CLIENT, SERVER), numbers, strict=True):
                live.streams[side].reassembler.begin(first)
        self._lives[protocol, frozenset((client_end, server_end))] = live
        self._by_id[number] = live
        if not fields.get("continued"):
            yield Mark(record.id, time_ns, "opened", facts=fields)

    def _closed(self, fields: dict[str, Any], time_ns: int, frame: str) -> Iterator[Entry]:
        number: Any = fields.get("id")
        live = self._by_id.pop(number, None) if _is_number(number) else None
        if live is None:
            return
        for stream in live.streams.values():
            yield from self._boundary(live, stream, time_ns)
        record = live.record
        by = fields.get("by")
        record.closed_by = by if by in (CLIENT, SERVER) else ""
        record.reason = _text(fields, "reason")
        if frame == "closed":
            record.closed_ns = time_ns
        yield Mark(record.id, time_ns, frame, record.closed_by, record.reason, fields)

    def _packet(self, packet: Packet) -> Iterator[Entry]:
        self._saw(packet.time_ns)
        found = take_apart(packet.link_type, packet.data, check=bool(self.about))
        if found is None:
            self.other_packets += 1
            return
        if found.intact is False:
            yield self._problem("a packet is damaged: its checksum is wrong")
            return
        live = self._live(found, packet.time_ns)
        if live is None:
            return
        live.record.last_ns = max(live.record.last_ns, packet.time_ns)
        sender = CLIENT if found.source == live.client_end else SERVER
        if found.protocol == TCP:
            yield from self._segment(live, sender, found, packet.time_ns)
        else:
            yield self._chunk(live, sender, found.payload, found.missing, packet.time_ns)

    def _live(self, found: Transported, time_ns: int) -> Live | None:
        """The connection that a packet belongs to; a new one where it begins one."""
        key = found.protocol, frozenset((found.source, found.target))
        live = self._lives.get(key)
        begins = found.protocol == TCP and found.flags & (SYN | ACK) == SYN
        if live is not None:
            if not begins or live.syn is None or live.syn == found.sequence:
                live.syn = found.sequence if begins else live.syn
                return live
        elif found.protocol == TCP and found.flags & RST and not found.payload:
            return None  # the answer to something that is not there
        live = Live(*self._captured(found, time_ns), ours=False)
        live.syn = found.sequence if begins else None
        self._lives[key] = live
        return live

    def _captured(self, found: Transported, time_ns: int) -> tuple[RecordedConnection, End]:
        """A connection that others captured: who is the client is seen in the handshake, else guessed."""
        if found.protocol == TCP and found.flags & SYN:
            guessed, from_server = False, bool(found.flags & ACK)
        elif found.protocol == TCP:
            guessed, from_server = True, found.source[1] < found.target[1]  # servers' ports are lower, mostly
        else:
            guessed, from_server = True, False
        client, server = (found.target, found.source) if from_server else (found.source, found.target)
        protocol = "tcp" if found.protocol == TCP else "udp"
        record = RecordedConnection(
            id=0, protocol=protocol, kind="captured", client=Side(_address(protocol, client)),
            server=Side(_address(protocol, server)), opened_ns=time_ns, last_ns=time_ns, guessed=guessed,
            joined=guessed and protocol == "tcp", file=self._file,
        )  # fmt: skip
        return self._on_connection(record, ""), client

    def _segment(self, live: Live, sender: str, found: Transported, time_ns: int) -> Iterator[Entry]:
        record, stream = live.record, live.streams[sender]
        opposite = live.streams[other_side(sender)]
        sequence, payload = found.sequence, found.payload
        if (
            len(record.handshake) < len(_HANDSHAKE)
            and (sender, found.flags & (SYN | ACK)) == _HANDSHAKE[len(record.handshake)]
        ):
            record.handshake.append(time_ns)
        if found.flags & SYN:
            if not stream.reassembler.begun:
                stream.reassembler.begin(sequence + 1)
                if sender == CLIENT and not live.ours:
                    yield Mark(record.id, time_ns, "opened")
            sequence += 1
        if found.flags & ACK and not found.flags & RST:
            pieces = opposite.reassembler.confirmed(found.acknowledged)
            yield from self._pieces(live, opposite, pieces, time_ns, boundary=not live.ours)
            if found.acknowledged == opposite.behind_end:
                opposite.behind_end = None
                record.side(opposite.sender).confirmed_ns = time_ns
        pieces = stream.reassembler.segment(sequence, payload)
        if live.ours and payload and not pieces:
            pieces = stream.reassembler.finish()  # ours are in order: what is missing never comes
        boundary = not live.ours or bool(found.flags & PSH)
        yield from self._pieces(live, stream, pieces, time_ns, boundary=boundary)
        if not live.ours:
            side = record.side(sender)
            side.repeated, side.out_of_order = stream.reassembler.repeated, stream.reassembler.out_of_order
        if found.flags & (FIN | RST):
            yield from self._end(live, stream, found, sequence + len(payload) + found.missing, time_ns)

    def _end(self, live: Live, stream: Stream, found: Transported, sequence: int, time_ns: int) -> Iterator[Entry]:
        record, sender = live.record, stream.sender
        side = record.side(sender)
        if side.ended_ns is not None:  # told already: it came again
            return
        reset = bool(found.flags & RST)
        if not reset:
            yield from self._pieces(live, stream, stream.reassembler.finish(), time_ns, boundary=True)
            stream.missing += stream.reassembler.skip(sequence)
        yield from self._boundary(live, stream, time_ns)
        if stream.missing:
            side.missing += stream.missing
            facts = {"bytes": stream.missing}
            yield Mark(record.id, time_ns, "missing", sender, f"{stream.missing} bytes are missing", facts)
            stream.missing = 0
        side.ended_ns = time_ns
        stream.behind_end = None if reset else sequence + 1 & 0xFFFFFFFF
        yield Mark(record.id, time_ns, "reset" if reset else "end", sender)
        if live.ours:
            return
        record.closed_by = record.closed_by or sender
        if reset or record.side(other_side(sender)).ended_ns is not None:
            record.closed_ns = time_ns
            record.reason = "reset" if reset else "end"
            yield Mark(record.id, time_ns, "closed", record.closed_by, record.reason)

    def _pieces(
        self, live: Live, stream: Stream, pieces: list[tuple[int, bytes]], time_ns: int, *, boundary: bool
    ) -> Iterator[Entry]:
        """What the stream went on with. A chunk ends where there is a boundary, and where bytes are missing."""
        for missing, data in pieces:
            if missing:
                yield from self._boundary(live, stream, time_ns)
                stream.missing += missing
            stream.parts.append(data)
            stream.size += len(data)
        if boundary or stream.size >= LARGEST_CHUNK:
            yield from self._boundary(live, stream, time_ns)

    def _boundary(self, live: Live, stream: Stream, time_ns: int) -> Iterator[Entry]:
        if not stream.parts:
            return
        data = stream.parts[0] if len(stream.parts) == 1 else b"".join(stream.parts)
        missing = stream.missing
        stream.parts, stream.size, stream.missing = [], 0, 0
        yield self._chunk(live, stream.sender, data, missing, time_ns)

    def _chunk(self, live: Live, sender: str, data: bytes, missing: int, time_ns: int) -> Chunk:
        side = live.record.side(sender)
        side.data += len(data)
        side.chunks += 1
        side.missing += missing
        return Chunk(live.record.id, time_ns, sender, data, missing)


def _text(fields: dict[str, Any], name: str) -> str:
    """A text of a frame, safe to print; empty where it is none."""
    value = fields.get(name)
    return printable(value[:_LONGEST_TEXT]) if isinstance(value, str) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int) and 0 < value < 1 << 53


def _address(protocol: str, end: End) -> Address:
    return Address(protocol, inet_ntop(AF_INET6 if len(end[0]) == 16 else AF_INET, end[0]), end[1])


def _ends_of(fields: object) -> tuple[int, End, End] | None:
    """How a connection's packets are addressed: protocol, client, server, addresses as hexadecimal digits."""
    if not (isinstance(fields, list) and len(fields) == 5):
        return None
    protocol, client, client_port, server, server_port = fields
    if not all(isinstance(number, int) for number in (protocol, client_port, server_port)):
        return None
    try:
        ends = (bytes.fromhex(client), client_port), (bytes.fromhex(server), server_port)
    except (TypeError, ValueError):
        return None
    return (protocol, *ends) if {len(end[0]) for end in ends} <= {4, 16} else None
