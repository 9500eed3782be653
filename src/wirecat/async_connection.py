"""A connection on an event loop: the same method names as ``Connection``, to be awaited.

Back-pressure both ways: reading pauses while more than ``HIGH_WATER`` bytes wait to be taken, and ``send`` waits while the
transport holds too much.
"""

from __future__ import annotations

import asyncio
from collections import deque

from wirecat.address import Address
from wirecat.connection import READ_SIZE, ConnectionState
from wirecat.endpoints.failures import broken
from wirecat.endpoints.socket_stream import LINGER, place_of
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire.framing import LONGEST_LINE, ReceiveBuffer, decode, encode, split_ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType
    from typing import Any, Self

HIGH_WATER = 1 << 18


class AsyncConnection(ConnectionState):
    """An open connection whose calls are awaited. Made by ``connect_async`` or by a server; an async context manager.

    >>> import asyncio, wirecat
    >>> async def talk(address):
    ...     async with await wirecat.connect_async(address) as connection:
    ...         await connection.send_line("Grüße")
    ...         return await connection.receive_line()
    >>> with wirecat.serve("echo", "127.0.0.1:0") as server:
    ...     asyncio.run(talk(server.address))
    'Grüße'
    """

    __slots__ = (
        "_failure", "_gone", "_local", "_paused", "_peer", "_pieces", "_reader", "_size", "_transport", "_writers",
        "on_end", "socket",
    )  # fmt: skip

    def __init__(self, connected: socket.socket, peer: Any = None, id: int = 0) -> None:
        super().__init__(id)
        self.socket = connected
        self.on_end: Callable[[], None] | None = None
        self._peer = peer
        self._local: Address | None = None
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._failure: OSError | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writers: asyncio.Future[None] | None = None
        loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]

    async def start(self, wrap: Callable[[asyncio.Protocol], asyncio.Protocol] | None = None) -> Self:
        """Take the (connected) socket over into the running loop; ``wrap`` stands between, as TLS does."""
        loop = asyncio.get_running_loop()
        protocol: asyncio.Protocol = _Protocol(self)
        if wrap is not None:
            protocol = wrap(protocol)
        await loop.connect_accepted_socket(lambda: protocol, self.socket)
        return self

    @property
    def peer(self) -> Address:
        """The other end's address."""
        if not isinstance(self._peer, Address):
            try:
                raw = self._peer if self._peer is not None else self.socket.getpeername()
                self._peer = place_of(raw, self.socket.family)
            except OSError:
                return Address("tcp", "unknown", 0)
        peer: Address = self._peer
        return peer

    @property
    def local(self) -> Address:
        """This end's address."""
        if self._local is None:
            try:
                self._local = place_of(self.socket.getsockname(), self.socket.family)
            except OSError:
                return Address("tcp", "unknown", 0)
        return self._local

    @property
    def timeout(self) -> float | None:
        """Seconds that one receive or send may wait before it raises DeadlineExpired; None (the default): for ever."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    async def receive(self, limit: int = READ_SIZE) -> bytes | None:
        """The next bytes as they come, at most ``limit``; None once the peer has ended its half.

        Raises ConnectionBroken, DeadlineExpired (nothing within ``timeout``), ConnectionClosed.
        """
        if self._buffer:
            return self._buffer.take(limit)
        while not self._pieces:
            if self._failure is not None:
                raise self._failure
            if self.ended:
                return None
            if self.closed:
                raise ConnectionClosed("this side has closed the connection already", address=self.peer, step="receive")
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._within(self._reader, "nothing came")
            finally:
                self._reader = None
        piece = self._pieces.popleft()
        if len(piece) > limit:
            self._pieces.appendleft(piece[limit:])
            piece = piece[:limit]
        self._size -= len(piece)
        if self._paused and self._size < HIGH_WATER // 2:
            self._paused = False
            self._transport.resume_reading()
        return piece

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``; waits while the peer takes no more. Raises ConnectionBroken, DeadlineExpired,
        ConnectionClosed."""
        self._require_sendable()
        if self._failure is not None:
            raise self._failure
        if self._gone.done():
            raise ConnectionBroken("the peer has gone", unsent=len(data), address=self.peer, step="connection")
        if self.taps:
            data = self.tapped(SENT, bytes(data))
        self._transport.write(bytes(data))
        self.bytes_sent += len(data)
        if self._writers is not None:
            await self._within(asyncio.shield(self._writers), "the peer took no more")
            if self._failure is not None:
                raise self._failure

    async def _within(self, future: asyncio.Future[None], what: str) -> None:
        if self._timeout is None:
            await future
            return
        try:
            await asyncio.wait_for(future, self._timeout)
        except TimeoutError as error:
            raise DeadlineExpired(f"{what} in {self._timeout:g} s", address=self.peer, step="connection") from error

    async def half_close(self) -> None:
        """Tell the peer that nothing more will be sent; receiving goes on. Doing it twice is nothing."""
        if self.half_closed or self.closed:
            return
        held = self.tapped_end(SENT) if self.taps else b""
        if held:
            self._transport.write(held)
            self.bytes_sent += len(held)
        self.half_closed = True
        if not self._gone.done():
            self._transport.write_eof()

    async def close(self) -> None:
        """Close in an orderly way: what was sent arrives. Never raises but for a cancellation; twice is nothing."""
        if not self.closed:
            self.closed = True
            self._pieces.clear()
            self._size = 0
            if not (self.ended or self._failure or self._gone.done() or self.cut_reason):
                # As SocketStream.close: first our end, then read away what the peer is still sending.
                if self._paused:
                    self._paused = False
                    self._transport.resume_reading()
                if not self.half_closed:
                    self.half_closed = True
                    self._transport.write_eof()
                await self._linger()
            self._transport.close()
        await asyncio.shield(self._gone)

    async def _linger(self) -> None:
        """Wait for the peer's end, if it has anything unread by us; at most LINGER seconds."""
        if self._transport.get_write_buffer_size() == 0 and not _unread(self.socket):
            return
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self._reader, LINGER)
        except TimeoutError:
            return
        finally:
            self._reader = None

    def abort(self) -> None:
        """See ConnectionState. To be called on the event loop."""
        if self._transport is not None:
            self._transport.abort()

    async def receive_line(self, longest: int = LONGEST_LINE) -> str | None:
        """See Connection.receive_line."""
        buffer = self._framed()
        while True:
            line = buffer.take_line(longest)
            if line:
                return decode(split_ending(line)[0])
            if line is not None:
                return None
            await self._feed(buffer)

    async def lines(self, longest: int = LONGEST_LINE) -> AsyncIterator[str]:
        """See Connection.lines."""
        while (line := await self.receive_line(longest)) is not None:
            yield line

    async def send_line(self, text: str | bytes, ending: str | bytes = "\n") -> None:
        """See Connection.send_line."""
        await self.send(encode(text) + encode(ending))

    async def receive_exactly(self, count: int) -> bytes:
        """See Connection.receive_exactly."""
        buffer = self._framed()
        while (data := buffer.take_exactly(count)) is None:
            if self.ended and not self._pieces:
                raise self._incomplete(count, buffer.take(count))
            await self._feed(buffer)
        return data

    def _framed(self) -> ReceiveBuffer:
        if self._buffer is None:
            self._buffer = ReceiveBuffer()
        return self._buffer

    async def _feed(self, buffer: ReceiveBuffer) -> None:
        self._buffer = None  # receive() would hand out what is buffered
        try:
            data = await self.receive()
        finally:
            self._buffer = buffer
        if data is None:
            buffer.feed_end()
        else:
            buffer.feed(data)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _Protocol(asyncio.Protocol):
    """What the loop calls; it fills the connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connection._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        connection = self._connection
        connection.bytes_received += len(data)
        if connection.taps:
            data = connection.tapped(RECEIVED, data)
        if not connection.closed and data:  # else it is only read away
            connection._pieces.append(data)
            connection._size += len(data)
            if connection._size > HIGH_WATER and not connection._paused:
                connection._paused = True
                connection._transport.pause_reading()
            _wake(connection._reader)

    def eof_received(self) -> bool:
        connection = self._connection
        connection.ended = True
        held = connection.tapped_end(RECEIVED) if connection.taps else b""
        if held:
            connection._pieces.append(held)
            connection._size += len(held)
        if connection.on_end is not None:
            connection.on_end()
        _wake(connection._reader)
        return True  # we go on sending until the handler has done

    def connection_lost(self, error: Exception | None) -> None:
        connection = self._connection
        if isinstance(error, OSError) and not connection.cut_reason:
            connection._failure = broken(error, connection.peer)
        if not connection._gone.done():
            connection._gone.set_result(None)
        connection.ended = True
        _wake(connection._reader)
        _wake(connection._writers)
        connection._writers = None

    def pause_writing(self) -> None:
        self._connection._writers = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        _wake(self._connection._writers)
        self._connection._writers = None


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


def _unread(connected: socket.socket) -> bool:
    """Whether the kernel holds bytes of the peer that were not read."""
    import socket as sockets

    try:
        return bool(connected.recv(1, sockets.MSG_PEEK))
    except OSError:
        return False
