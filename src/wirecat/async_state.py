"""What an event loop does to a connection: pieces come and wait, writing pauses and goes on, it ends, it breaks.

``AsyncConnection`` adds what a user calls.
"""

from __future__ import annotations

import asyncio
from collections import deque

from wirecat.address import Address
from wirecat.connection import ConnectionState
from wirecat.endpoints.place import place_of
from wirecat.socket_transport import SocketTransport
from wirecat.taps.tap import RECEIVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any, Self

    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.system.readiness import Readiness

HIGH_WATER = 1 << 18  # bytes that wait to be taken before reading pauses


class AsyncState(ConnectionState):
    """A connected socket in the hands of the running loop. ``on_end`` is called when the peer has ended its half; ``tls`` is
    what TLS has agreed on (see ``Connection.tls``)."""

    shares_thread = True

    __slots__ = (
        "_failure", "_gone", "_heard", "_local", "_parting", "_paused", "_peer", "_pieces", "_reader", "_size",
        "_transport", "_writers", "on_end", "socket", "tls",
    )  # fmt: skip

    def __init__(self, connected: socket.socket, peer: Any = None, id: int = 0) -> None:
        super().__init__(id)
        self.socket = connected
        self.on_end: Callable[[], None] | None = None
        self.tls: TlsFacts | None = None
        self._peer = peer
        self._local: Any = None
        self._heard = False  # whether bytes came that nobody will receive, since it was closed
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._failure: OSError | None = None
        self._reader: asyncio.Future[None] | None = None  # what each waits for: who receives,
        self._writers: asyncio.Future[None] | None = None  # who sends,
        self._parting: asyncio.Future[None] | None = None  # who closes
        loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]

    async def start(self, readiness: Readiness | None = None) -> Self:
        """Take the (connected) socket over into the running loop, or its ``readiness``. Raises OSError."""
        self._local = self.socket.getsockname()
        protocol = self.protocol()
        if readiness is None:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, self.socket)
        else:
            SocketTransport(readiness, self.socket, protocol)
        return self

    def protocol(self) -> asyncio.Protocol:
        """What a transport has to call. For one that is open already, as after a TLS handshake: in place of ``start``."""
        return _Protocol(self)

    @property
    def descriptor(self) -> int:
        """See ConnectionState."""
        return self.socket.fileno()

    @property
    def peer(self) -> Address:
        """The other end's address."""
        if not isinstance(self._peer, Address):
            try:
                raw = self._peer if self._peer is not None else self.socket.getpeername()
                self._peer = place_of(raw)
            except OSError:
                return Address("tcp", "unknown", 0)
        peer: Address = self._peer
        return peer

    @property
    def local(self) -> Address:
        """This end's address."""
        if not isinstance(self._local, Address):
            try:
                raw = self._local if self._local is not None else self.socket.getsockname()
                self._local = place_of(raw)
            except OSError:
                return Address("tcp", "unknown", 0)
        local: Address = self._local
        return local

    @property
    def buffered(self) -> int:
        """How many bytes have come and wait to be taken."""
        return super().buffered + self._size

    def abort(self) -> None:
        """See ConnectionState. To be called on the event loop."""
        if self._transport is not None:
            self._transport.abort()


class _Protocol(asyncio.Protocol):
    """What the loop calls; it fills the connection."""

    def __init__(self, connection: AsyncState) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection._transport = transport  # type: ignore[assignment]
        if self._connection.cut_reason:  # cut while the loop was taking it over
            self._connection._transport.abort()

    def data_received(self, data: bytes) -> None:
        connection = self._connection
        connection.bytes_received += len(data)
        if connection.taps:
            data = connection.tapped(RECEIVED, data)
        if connection.closed:  # it is only read away
            connection._heard = True
            wake(connection._parting)
        elif data:
            connection._pieces.append(data)
            connection._size += len(data)
            if connection._size > HIGH_WATER and not connection._paused:
                connection._paused = True
                connection._transport.pause_reading()
            wake(connection._reader)

    def eof_received(self) -> bool:
        connection = self._connection
        connection.ended = True
        held = connection.tapped_end(RECEIVED) if connection.taps else b""
        if held and not connection.closed:
            connection._pieces.append(held)
            connection._size += len(held)
        if connection.on_end is not None:
            connection.on_end()
        wake(connection._reader)
        wake(connection._parting)
        return True  # we go on sending until the handler has done

    def connection_lost(self, error: Exception | None) -> None:
        connection = self._connection
        if isinstance(error, OSError) and not connection.cut_reason:
            connection._failure = error
            connection.tapped_break()
        connection.ended = True
        for waiting in (connection._gone, connection._reader, connection._parting, connection._writers):
            wake(waiting)
        connection._writers = None

    def pause_writing(self) -> None:
        self._connection._writers = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        wake(self._connection._writers)
        self._connection._writers = None
        wake(self._connection._parting)


def wake(future: asyncio.Future[None] | None) -> None:
    """Let whoever waits for ``future`` go on."""
    if future is not None and not future.done():
        future.set_result(None)


def unread(connected: socket.socket) -> bool:
    """Whether the kernel holds bytes of the peer that were not read."""
    import socket as sockets

    try:
        return bool(connected.recv(1, sockets.MSG_PEEK))
    except OSError:
        return False
