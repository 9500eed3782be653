"""A client of a swarm that a tap looks at: it stands between the event loop's transport and the client."""

from __future__ import annotations

import asyncio

from wirecat.address import Address
from wirecat.connection import ConnectionState
from wirecat.endpoints.place import place_of
from wirecat.taps.tap import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from wirecat.swarm.client import Client
    from wirecat.taps.tap import Tap


class TappedClient(ConnectionState, asyncio.Protocol):
    """Shows ``tap``, which observes, all that ``client`` says and hears; its number is the client's."""

    shares_thread = True

    __slots__ = ("_client", "_local", "_peer", "_tap")

    def __init__(self, client: Client, tap: Tap, connected: socket.socket) -> None:
        super().__init__(client.number)
        self._client = client
        self._tap = tap
        self._local = place_of(connected.getsockname())
        self._peer = place_of(connected.getpeername())

    @property
    def peer(self) -> Address:
        """The server's address."""
        return self._peer

    @property
    def local(self) -> Address:
        """The client's address."""
        return self._local

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.attach(self._tap)
        self._client.connection_made(_Shown(transport, self))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self.tapped(RECEIVED, data)
        self._client.data_received(data)

    def eof_received(self) -> bool | None:
        self.ended = True
        self.tapped_end(RECEIVED)
        return self._client.eof_received()

    def pause_writing(self) -> None:
        self._client.pause_writing()

    def resume_writing(self) -> None:
        self._client.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, OSError):
            self.tapped_break()
        self.tapped_close()
        self._client.connection_lost(error)


class _Shown:
    """The transport as the client has it: what it writes is shown first."""

    def __init__(self, transport: Any, shown_to: TappedClient) -> None:
        self._transport = transport
        self._shown_to = shown_to

    def write(self, data: bytes) -> None:
        self._shown_to.tapped(SENT, data)
        self._shown_to.bytes_sent += len(data)
        self._transport.write(data)

    def write_eof(self) -> None:
        if not self._shown_to.half_closed:
            self._shown_to.half_closed = True
            self._shown_to.tapped_end(SENT)
        self._transport.write_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
