"""A connection on an event loop: the same method names as ``Connection``, to be awaited.

Back-pressure both ways: reading pauses while more than ``HIGH_WATER`` bytes wait to be taken, and ``send`` waits while the
transport holds too much. Nothing is taken out of what has come before the call that gets it is sure to return it, so a
receive that is cancelled or out of time loses no byte.
"""

from __future__ import annotations

import asyncio

from wirecat.async_state import HIGH_WATER, AsyncState, unread, wake
from wirecat.connection import READ_SIZE
from wirecat.endpoints.failures import broken
from wirecat.endpoints.lingering import LINGER, on_its_way
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired, UsageError, WirecatError
from wirecat.options import require_number
from wirecat.taps.tap import SENT
from wirecat.wire.framing import LONGEST_LINE, ReceiveBuffer, decode, encode, split_ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self


class AsyncConnection(AsyncState):
    """An open connection whose calls are awaited. Made by ``connect_async`` or by a server; an async context manager.

    One task may receive while others send; a second one that receives at the same time gets a UsageError.

    >>> import asyncio, wirecat
    >>> async def talk(address):
    ...     async with await wirecat.connect_async(address) as connection:
    ...         await connection.send_line("Grüße")
    ...         return await connection.receive_line()
    >>> with wirecat.serve("echo", "127.0.0.1:0") as server:
    ...     asyncio.run(talk(server.address))
    'Grüße'
    """

    __slots__ = ()

    @property
    def timeout(self) -> float | None:
        """Seconds that one receive or send may wait before it raises DeadlineExpired; None (the default): for ever."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        require_number("timeout", seconds, least=0)
        self._timeout = seconds

    async def receive(self, limit: int = READ_SIZE) -> bytes | None:
        """The next bytes as they come, at most ``limit``; None once the peer has ended its half.

        Raises ConnectionBroken, DeadlineExpired (nothing within ``timeout``), ConnectionClosed.
        """
        if self.closed or limit < 1:
            self._require_receivable(limit)
        if self._buffer:
            return self._buffer.take(limit)
        piece = await self._next()
        if piece is not None and len(piece) > limit:
            buffer = self._framed()
            buffer.feed(piece)
            return buffer.take(limit)
        return piece

    async def _next(self) -> bytes | None:
        """The next piece as it came; None at the end."""
        if self._reader is not None:
            raise UsageError("another task is receiving from it already", address=self.peer, step="receive")
        while not self._pieces:
            if self.closed:
                raise ConnectionClosed("this side has closed the connection already", address=self.peer, step="receive")
            if self._failure is not None:
                raise self._broken(None)
            if self.ended:
                return None
            self._reader = asyncio.get_running_loop().create_future()
            try:
                if self._timeout is None:
                    await self._reader
                else:
                    # wait_for() would do, but for Python 3.11, where it may swallow a cancellation.
                    async with asyncio.timeout(self._timeout):
                        await self._reader
            except TimeoutError as error:
                raise DeadlineExpired(
                    f"nothing came in {self._timeout:g} s", address=self.peer, step="receive"
                ) from error
            finally:
                self._reader = None
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._paused and self._size < HIGH_WATER // 2:
            self._paused = False
            self._transport.resume_reading()
        return piece

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``; waits while the peer takes no more.

        Raises ConnectionBroken, ConnectionClosed, DeadlineExpired (the peer took nothing within ``timeout``; ``unsent`` tells
        how much was left, which still goes out if the transport has it already, unlike with Connection). A call that is
        cancelled while it waits has handed over either nothing or all.
        """
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        self._require_sendable()
        while self._writers is not None:  # it holds too much already: nobody adds to that
            await self._taken(size)
            self._require_sendable()
        self._require_open(size)
        if not isinstance(data, bytes):
            data = bytes(data)
        if self.taps:
            data = self.tapped(SENT, data)
        self._transport.write(data)
        self.bytes_sent += len(data)
        if self._writers is not None:
            await self._taken(0)

    async def _taken(self, unsent: int) -> None:
        """Wait until the transport takes more; ``unsent`` bytes of the caller's are not in it yet."""
        writers = self._writers
        while writers is not None and not writers.done():
            before = self._transport.get_write_buffer_size()
            try:
                async with asyncio.timeout(self._timeout):
                    await asyncio.shield(writers)
            except TimeoutError as error:
                left = self._transport.get_write_buffer_size()
                if left < before:
                    continue  # slow, but not silent
                raise DeadlineExpired(
                    f"the peer took no more for {self._timeout:g} s ({unsent or left} bytes left)", unsent=unsent or left,
                    address=self.peer, step="send",
                ) from error  # fmt: skip
        self._require_open(unsent or None)

    def _require_open(self, unsent: int | None) -> None:
        if self._failure is not None:
            raise self._broken(unsent)
        if self._gone.done() or self._transport.is_closing():
            raise ConnectionBroken("the connection is over", unsent=unsent, address=self.peer, step="connection")

    def _broken(self, unsent: int | None) -> WirecatError:
        failure = self._failure
        assert failure is not None
        return failure if isinstance(failure, WirecatError) else broken(failure, self.peer, unsent=unsent)

    async def half_close(self) -> None:
        """Tell the peer that nothing more will be sent; receiving goes on. Doing it twice is nothing."""
        if not (self.half_closed or self.closed):
            self._end_sending()

    def _end_sending(self) -> None:
        held = self.tapped_end(SENT) if self.taps else b""
        self.half_closed = True
        if self._gone.done() or self._transport.is_closing():
            return
        if held:
            self._transport.write(held)
            self.bytes_sent += len(held)
        try:
            self._transport.write_eof()
        except OSError:
            return  # reset already, which whoever receives or sends will be told

    async def close(self) -> None:
        """Close in an orderly way: what was sent arrives. Never raises but for a cancellation; twice is nothing.

        Waits while the peer still has to take what was sent (at most ``timeout`` seconds without progress, where that is
        set; then it is cut), and then as Connection.close does. A cancellation cuts it.
        """
        if not self.closed:
            self.closed = True
            self._pieces.clear()
            self._size = 0
            wake(self._reader)
            if self._transport is None:  # it never began
                self.socket.close()
                wake(self._gone)
            try:
                if not (self._gone.done() or self.cut_reason):
                    await self._part()
            except BaseException:
                self._transport.abort()
                raise
            if not self._gone.done():
                self._transport.close()
            if self.taps:
                self.tapped_close()
        await asyncio.shield(self._gone)

    async def _part(self) -> None:
        """Our end; then what is still on its way, in both directions (as ``read_away`` does for a stream)."""
        transport = self._transport
        if not self.half_closed:
            self._end_sending()
        if self._paused and not transport.is_closing():
            self._paused = False
            transport.resume_reading()
        clock = asyncio.get_running_loop().time
        waiting = transport.get_write_buffer_size()
        progress, deadline, pause = clock(), 0.0, 0.001
        while not self._gone.done() and (waiting or not self.ended):
            if waiting:
                if self._timeout is not None and clock() >= progress + self._timeout:
                    transport.abort()
                    return
            else:
                deadline = deadline or clock() + LINGER
                talking = self._heard or unread(self.socket)
                if clock() >= deadline or not (talking or on_its_way(self.socket)):
                    return
                pause = deadline - clock() if talking else pause
            await self._turn(pause)
            pause = min(pause * 2, 0.05)
            before, waiting = waiting, transport.get_write_buffer_size()
            if waiting != before:
                progress = clock()

    async def _turn(self, seconds: float) -> None:
        """Until something happens to the connection, or time is up."""
        loop = asyncio.get_running_loop()
        self._parting = loop.create_future()
        timer = loop.call_later(max(0.0, seconds), wake, self._parting)
        try:
            await self._parting
        finally:
            timer.cancel()
            self._parting = None

    async def receive_line(self, longest: int = LONGEST_LINE) -> str | None:
        """See Connection.receive_line."""
        self._require_receivable(1)
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
        self._require_receivable(1)
        buffer = self._framed()
        while (data := buffer.take_exactly(count)) is None:
            if self.ended and not self._pieces and self._failure is None:
                raise self._incomplete(count, buffer.take(count))
            await self._feed(buffer)
        return data

    def _framed(self) -> ReceiveBuffer:
        if self._buffer is None:
            self._buffer = ReceiveBuffer()
        return self._buffer

    async def _feed(self, buffer: ReceiveBuffer) -> None:
        data = await self._next()
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
