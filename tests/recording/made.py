"""Recordings made by hand: frames and packets of a few connections, without any traffic."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from wirecat.address import Address
from wirecat.recording.conversation import Conversation
from wirecat.recording.frames import address_fields, encode_frame
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire import pcapng
from wirecat.wire.segment import TCP, UDP

TIME = 1_700_000_000_123_456_789
LARGE = bytes(range(256)) * 700  # more than a segment can hold


class Maker:
    """A recording in memory. ``opened`` begins a connection to a server that records."""

    def __init__(self, uid: str = "a") -> None:
        self.pieces: list[bytes | memoryview] = [
            pcapng.section_header("wirecat 1.2.3", "Linux"), pcapng.interface(name="wirecat"),
        ]  # fmt: skip
        self.now = TIME
        self.frame("recording", uid=uid, machine="here", verb="serve", program="wirecat 1.2.3")

    def frame(self, frame: str, **fields: object) -> None:
        """A frame at the present time."""
        self.pieces.append(pcapng.statistics(self.now, encode_frame(frame, self.now, **fields)))

    def opened(self, id: int, host: str = "127.0.0.1", *, scheme: str = "tcp", **fields: object) -> Conversation:
        """A client with the port 50000 + ``id`` came."""
        packed = ip_address(host).packed
        datagrams = scheme == "udp"
        conversation = Conversation((packed, 80), (packed, 50000 + id), by_us=False, datagrams=datagrams)
        self.frame(
            "opened", id=id, protocol=scheme, kind="server", recorded_by="server",
            local=address_fields(Address(scheme, host, 80)), peer=address_fields(Address(scheme, host, 50000 + id)),
            packets=[UDP if datagrams else TCP, packed.hex(), 50000 + id, packed.hex(), 80], **fields,
        )  # fmt: skip
        self.pieces += conversation.handshake(self.now)
        return conversation

    def closed(self, id: int, by: str = "client", reason: str = "end") -> None:
        """A connection is over."""
        self.frame("closed", id=id, by=by, reason=reason)

    def talk(self, id: int, host: str = "127.0.0.1", **fields: object) -> None:
        """A whole connection: a question, a large answer, and the client's end first."""
        conversation = self.opened(id, host, **fields)
        for direction, data in ((RECEIVED, b"hello\n"), (SENT, LARGE), (RECEIVED, b"bye\n")):
            self.now += 1000
            self.pieces += conversation.chunk(self.now, direction, data)
        self.now += 1000
        self.pieces += conversation.end(self.now, RECEIVED)
        self.pieces += conversation.end(self.now, SENT)
        self.closed(id)

    def echo(self, id: int) -> None:
        """A whole connection: what the client said, and the same back."""
        conversation = self.opened(id)
        for direction in (RECEIVED, SENT):
            self.pieces += conversation.chunk(self.now, direction, b"hello\n")
        for direction in (RECEIVED, SENT):
            self.pieces += conversation.end(self.now, direction)
        self.closed(id)

    def bytes(self, *, ended: bool = True) -> bytes:
        """The file."""
        if ended:
            self.frame("ended")
        return b"".join(self.pieces)

    def write(self, path: Path, *, ended: bool = True) -> Path:
        """Write the file."""
        path.write_bytes(self.bytes(ended=ended))
        return path
