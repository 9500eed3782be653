"""The tap that records: it sits on one connection or on all of a server's, and comes and goes while bytes flow."""

from __future__ import annotations

from time import monotonic

from wirecat.secret import hide_in_handler
from wirecat.taps.tap import RECEIVED, SENT, Tap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.connection import ConnectionState
    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.recording.recorder import Recorder, Track

_WITHOUT_END = ("udp", "unixgram")


class RecordingTap(Tap):
    """Observes for ``recorder``. ``kind`` is what this program is to the connections: ``client``, ``server`` or
    ``proxy``; ``handler`` what serves them; ``served`` whether a server tells how each of them ended, and it is not to be
    read off the connection itself. ``fields`` are noted with each connection.
    """

    def __init__(
        self, recorder: Recorder, *, kind: str, handler: str = "", served: bool = False, **fields: Any
    ) -> None:
        self._recorder = recorder
        self._kind = kind
        self._fields = {**({"handler": hide_in_handler(handler)} if handler else {}), **fields}
        self._served = served
        self._tracks: dict[int, Track] = {}
        self._first_end: dict[int, str] = {}
        self._broken: set[int] = set()

    def opened(self, connection: ConnectionState) -> None:
        fields = dict(self._fields)
        facts: TlsFacts | None = getattr(connection, "tls", None)
        if facts is not None:
            fields["tls"] = {
                "version": facts.version, "cipher": facts.cipher, "alpn": facts.alpn,
                "server_name": facts.server_name, "sha256": facts.sha256,
            }  # fmt: skip
            if connection.peer.scheme == "tcp":
                fields.setdefault("protocol", "tls")
        if connection.bytes_received or connection.bytes_sent:
            fields["joined"] = True
            fields["before"] = [connection.bytes_received, connection.bytes_sent]
        track = self._recorder.open(connection.local, connection.peer, kind=self._kind, number=connection.id, **fields)
        self._tracks[connection.id] = track

    def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
        track = self._tracks.get(connection)
        if track is not None:
            self._recorder.chunk(track, direction, data, when)
        return None

    def finish(self, connection: int, direction: str) -> bytes:
        track = self._tracks.get(connection)
        if track is not None:
            self._first_end.setdefault(connection, direction)
            self._recorder.end(track, direction)
        return b""

    def broke(self, connection: int) -> None:
        track = self._tracks.get(connection)
        if track is not None:
            self._broken.add(connection)
            self._recorder.broke(track)

    def closed(self, connection: ConnectionState, by: str, reason: str) -> None:
        if self._served and not by:
            return  # the server will tell
        number = connection.id
        track = self._tracks.pop(number, None)
        if track is None:
            return
        first = self._first_end.pop(number, SENT)
        if not by and number in self._broken:
            by, reason = "peer", "reset"
        elif not by and connection.peer.scheme in _WITHOUT_END:
            # The peer has no way to end it: this side has, or took it for gone (as a server says it).
            by, reason = "local", "idle" if getattr(getattr(connection, "stream", None), "idled", False) else "end"
        elif not by:
            by, reason = "peer" if first == RECEIVED else "local", "end"
        self._broken.discard(number)
        self._recorder.close_track(
            track, "peer" if by == "peer" else "local", reason, received=connection.bytes_received,
            sent=connection.bytes_sent, seconds=round(monotonic() - connection.opened, 6),
        )  # fmt: skip

    def detached(self, connection: ConnectionState) -> None:
        track = self._tracks.pop(connection.id, None)
        self._first_end.pop(connection.id, None)
        self._broken.discard(connection.id)
        if track is not None:
            self._recorder.detach(track)
