"""From the packets and frames of one file to connections, chunks and marks."""

from __future__ import annotations

from wirecat.recording.captured import CapturedConnections
from wirecat.recording.frames import decode_frame, read_address
from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark, RecordedConnection, Side
from wirecat.recording.own_flow import OwnConnection
from wirecat.recording.snapshot import read_rows
from wirecat.secret import hide_in_handler
from wirecat.wire import pcapng
from wirecat.wire.capture_items import Custom, Damage, Packet, Section
from wirecat.wire.packet import Dissector, key_of
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.recording.own_flow import OwnFlow
    from wirecat.wire.packet import Transported

    Entry = Chunk | Mark
    End = tuple[bytes, int]

_LONGEST_TEXT = 500


class Decoder:
    """Give it what ``CaptureParser`` gives, in order, then ``finish``; each appends what was found to ``out``.

    What the file says of the recording as a whole stands in ``about``; ``on_connection`` is called once for each
    connection, and numbers it. ``left_out`` counts packets that are not shown, by the name of what they are.
    """

    def __init__(self, file: int, on_connection: Callable[[RecordedConnection, str], RecordedConnection]) -> None:
        self.about: dict[str, Any] = {}  # the frame "recording"
        self.section = Section()
        self.ended = False
        self.first_ns: int | None = None
        self.last_ns = 0
        self._file = file
        self._on_connection = on_connection
        self._dissector = Dissector()
        self._captured = CapturedConnections(file, on_connection)
        self._flows: dict[tuple[int, bytes], OwnFlow] = {}
        self._by_id: dict[int, OwnConnection] = {}

    @property
    def left_out(self) -> dict[str, int]:
        """Packets that are not shown, by the name of what they are."""
        return self._dissector.left_out

    def take(self, item: Section | Packet | Custom | Damage, out: list[Entry]) -> None:
        """The next thing that stands in the file."""
        if isinstance(item, Packet):
            time_ns, link_type, data, _ = item
            if time_ns > self.last_ns:
                self.last_ns = time_ns
            if self.first_ns is None and time_ns >= 0:
                self.first_ns = time_ns
            if self.about:
                self._own_packet(self._dissector.take(link_type, data, check=True), time_ns, out)
                return
            found = self._dissector.take(link_type, data)
            if found is not None:
                self._captured.take(found, time_ns, out)
        elif isinstance(item, Custom):
            if item.enterprise == pcapng.ENTERPRISE:
                self._custom(item.data, out)
        elif isinstance(item, Damage):
            text = f"{item.size} bytes at {item.offset}: {item.reason}"
            out.append(self.problem(text, torn=item.torn, bytes=item.size))
        else:
            self.section = item

    def finish(self, out: list[Entry]) -> None:
        """The file has ended."""
        self._dissector.finish()
        for connection in {id(flow.record): flow for flow in self._flows.values()}.values():
            for flow in (connection, connection.other):
                flow.boundary(self.last_ns, out)
        self._captured.finish(out)

    def problem(self, text: str, **facts: Any) -> Mark:
        """A mark for what is wrong with the file."""
        return Mark(None, self.last_ns, "problem", text=text, facts=facts)

    def _saw(self, time_ns: int) -> None:
        if time_ns >= 0:
            self.first_ns = time_ns if self.first_ns is None else self.first_ns
            self.last_ns = max(self.last_ns, time_ns)

    def _custom(self, data: bytes, out: list[Entry]) -> None:
        try:
            fields = decode_frame(data)
        except ValueError as error:
            out.append(self.problem(f"a frame is damaged: {error}"))
            return
        if fields is None:
            return
        time_ns, frame = fields["time_ns"], fields["frame"]
        self._saw(time_ns)
        if frame == "recording":
            self.about = self.about or fields
        elif frame == "opened":
            self._opened(fields, time_ns, out)
        elif frame in ("closed", "detached"):
            self._closed(fields, time_ns, frame, out)
        elif frame == "sockets":
            rows = read_rows(fields.get("rows"))
            text = f"{len(rows)} socket{'' if len(rows) == 1 else 's'}"
            out.append(Mark(None, time_ns, "sockets", text=text, facts={"rows": rows}))
        elif frame in ("lost", "note"):
            out.append(Mark(None, time_ns, frame, text=_text(fields, "text"), facts=fields))
        elif frame == "ended":
            self.ended = True

    def _opened(self, fields: dict[str, Any], time_ns: int, out: list[Entry]) -> None:
        recorded_by = SERVER if fields.get("recorded_by") == SERVER else CLIENT
        local, peer = read_address(fields.get("local")), read_address(fields.get("peer"))
        ends = _ends_of(fields.get("packets"))
        number: Any = fields.get("id")
        if local is None or peer is None or ends is None or not _is_number(number):
            out.append(self.problem("a frame is damaged: what it says of a connection cannot be read"))
            return
        protocol, client_end, server_end = ends
        client, server = (peer, local) if recorded_by == SERVER else (local, peer)
        if fields.get("continued") and number in self._by_id:
            return  # it is known already
        tls = fields.get("tls")
        record = RecordedConnection(
            id=number, protocol=_text(fields, "protocol") or "tcp", kind=_text(fields, "kind") or recorded_by,
            client=Side(client), server=Side(server), opened_ns=time_ns, last_ns=time_ns,
            handler=hide_in_handler(_text(fields, "handler")), tls=tls if isinstance(tls, dict) else None,
            joined=bool(fields.get("joined")), file=self._file, facts=fields,
        )  # fmt: skip
        record = self._on_connection(record, f"{self.about.get('uid')}/{number}")
        connection = OwnConnection(record)
        numbers = fields.get("numbers")
        if isinstance(numbers, list) and len(numbers) == 2 and all(isinstance(each, int) for each in numbers):
            for side, first in zip((CLIENT, SERVER), numbers, strict=True):
                connection.flows[side].expected = first
        self._flows[protocol, key_of(client_end, server_end)] = connection.flows[CLIENT]
        self._flows[protocol, key_of(server_end, client_end)] = connection.flows[SERVER]
        self._by_id[number] = connection
        if not fields.get("continued"):
            out.append(Mark(record.id, time_ns, "opened", facts=fields))

    def _closed(self, fields: dict[str, Any], time_ns: int, frame: str, out: list[Entry]) -> None:
        number: Any = fields.get("id")
        connection = self._by_id.pop(number, None) if _is_number(number) else None
        if connection is None:
            return
        for flow in connection.flows.values():
            flow.boundary(time_ns, out)
        record = connection.record
        by = fields.get("by")
        record.closed_by = by if by in (CLIENT, SERVER) else ""
        record.reason = _text(fields, "reason")
        if frame == "closed":
            record.closed_ns = time_ns
        out.append(Mark(record.id, time_ns, frame, record.closed_by, record.reason, fields))

    def _own_packet(self, found: Transported | None, time_ns: int, out: list[Entry]) -> None:
        if found is None:
            return
        if found.intact is False:
            out.append(self.problem("a packet is damaged: its checksum is wrong"))
            return
        flow = self._flows.get((found.protocol, found.key))
        if flow is not None:
            flow.take(found, time_ns, out)
        else:  # appended by another program, or its frame is damaged
            self._captured.take(found, time_ns, out)


def _text(fields: dict[str, Any], name: str) -> str:
    """A text of a frame, safe to print; empty where it is none."""
    value = fields.get(name)
    return printable(value[:_LONGEST_TEXT]) if isinstance(value, str) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int) and 0 < value < 1 << 53


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
    fits = {len(end[0]) for end in ends} in ({4}, {16}) and all(0 <= end[1] <= 0xFFFF for end in ends)
    return (protocol, *ends) if fits else None
