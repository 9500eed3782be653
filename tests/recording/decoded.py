"""All that a decoder finds in packets and frames."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from recording.made import TIME
from wirecat.recording.decoder import Decoder
from wirecat.recording.model import Chunk, Mark, RecordedConnection
from wirecat.wire.capture import CaptureParser
from wirecat.wire.capture_items import Packet
from wirecat.wire.segment import ACK, SYN, Way

CLIENT_END, SERVER_END = (ip_address("10.0.0.1").packed, 50000), (ip_address("10.0.0.2").packed, 80)
UP, DOWN = Way(*CLIENT_END, *SERVER_END), Way(*SERVER_END, *CLIENT_END)


class Decoded:
    """All that a decoder finds."""

    def __init__(self, items: Iterable[object]) -> None:
        self.connections: list[RecordedConnection] = []

        def number(record: RecordedConnection, key: str) -> RecordedConnection:
            self.connections.append(record)
            record.id = record.id or len(self.connections)
            return record

        decoder = Decoder(0, number)
        self.entries: list[Chunk | Mark] = []
        for item in items:
            decoder.take(item, self.entries)  # type: ignore[arg-type]
        decoder.finish(self.entries)

    @property
    def said(self) -> list[tuple[str, bytes, int]]:
        """Who said what, and how much is missing before it."""
        return [(each.sender, each.data, each.missing) for each in self.entries if isinstance(each, Chunk)]

    @property
    def marks(self) -> list[tuple[str, str]]:
        return [(each.name, each.sender) for each in self.entries if isinstance(each, Mark)]


def of_file(data: bytes) -> Decoded:
    parser = CaptureParser()
    return Decoded([*parser.feed(data), *parser.finish()])


def captured(*segments: tuple[Way, int, int, int, bytes]) -> Decoded:
    """Segments (way, sequence, acknowledged, flags, payload) as somebody else captured them."""
    return Decoded(
        Packet(TIME + number, 101, way.tcp(sequence, acknowledged, flags, payload) + payload, 0)
        for number, (way, sequence, acknowledged, flags, payload) in enumerate(segments)
    )


SHAKE = ((UP, 100, 0, SYN, b""), (DOWN, 500, 101, SYN | ACK, b""), (UP, 101, 501, ACK, b""))
