"""A responder on an event loop: one asyncio.Protocol per connection, with back-pressure and an orderly end."""

from __future__ import annotations

import asyncio
import traceback
from functools import lru_cache

from wirecat.address import Address
from wirecat.connection import ConnectionState
from wirecat.endpoints.failures import broken
from wirecat.endpoints.place import place_of
from wirecat.endpoints.socket_stream import LINGER
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.server.line_responder import LineResponder
from wirecat.server.responder import Responder, answer_bytes
from wirecat.taps.tap import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.server.registry import Registry

LINE_PIECE = 16384  # bytes of short lines given at once: their answers may be many times as long
_NONE_YET = Responder()  # until the loop has the socket
PLACES = 256  # local addresses that are remembered
BURST = 8  # pieces of an endless answer before other connections have their turn


_place_here = lru_cache(PLACES)(place_of)  # a server's clients come to few places


class ResponderProtocol(ConnectionState, asyncio.Protocol):
    """Drives a responder, made by ``make``, for one accepted socket.

    While the client takes nothing, nothing is read from it. After the responder's last byte comes our FIN; what the
    client is still sending is read away, for at most LINGER seconds, because a close with bytes unread would reset the
    connection and lose the answer.
    """

    shares_thread = True

    __slots__ = (
        "_failure", "_finishing", "_given_up", "_local", "_loop", "_make", "_paused", "_peer", "_peer_first",
        "_pending", "_piece", "_registry", "_responder", "_socket", "_transport", "tls",
    )  # fmt: skip

    def __init__(
        self,
        make: Callable[[], Responder],
        accepted: socket.socket,
        peer: Any,
        registry: Registry,
        chunk: int | None,
        loop: asyncio.AbstractEventLoop,
        id: int | None = None,
    ) -> None:
        super().__init__(registry.next_id() if id is None else id)
        self._make = make
        self._responder = _NONE_YET
        self._socket = accepted
        self._peer = peer
        self._local: Address | None = None
        self._registry = registry
        self._loop = loop
        self._failure: BaseException | None = None
        self._finishing = False
        self._paused = False
        self._peer_first = False
        self._piece = chunk  # the most bytes that the responder is given at once
        self._pending = b""  # what it was not given yet, because the client takes no answers
        self._given_up: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self.tls: TlsFacts | None = None  # what TLS has agreed on

    @property
    def descriptor(self) -> int:
        """See ConnectionState."""
        return self._socket.fileno()

    @property
    def peer(self) -> Address:
        """The client's address."""
        if not isinstance(self._peer, Address):
            self._peer = place_of(self._peer)
        return self._peer

    @property
    def local(self) -> Address:
        """The server's address."""
        if self._local is None:
            try:
                self._local = _place_here(self._socket.getsockname())
            except OSError:
                return Address("tcp", "unknown", 0)
        return self._local

    def abort(self) -> None:
        """See ConnectionState. To be called on the event loop."""
        if self._transport is not None:
            self._transport.abort()

    def note_traffic(self, now: float) -> float:
        """See ConnectionState. What the transport still holds has not been sent: a slow reader is not idle."""
        transport = self._transport
        waiting = 0 if transport is None or self.closed else transport.get_write_buffer_size()
        count = self.bytes_received + self.bytes_sent - waiting
        if count != self._counted:
            self._counted = count
            self.last_heard = now
        return now - self.last_heard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self.cut_reason:  # cut while the loop was taking it over
            self._transport.abort()
            return
        try:
            self._responder = self._make()
            if self._piece is None and isinstance(self._responder, LineResponder):
                self._piece = LINE_PIECE
            answer = self._responder.opened()
            if answer is not None or self._responder.finished:
                self._answer(answer)
        except BaseException as error:
            self._fail(error)
        else:
            if self._responder.streams:
                self._stream()

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if self.taps or self._piece is not None or self._finishing:
            self._data_received(data)
            return
        try:
            answer = self._responder.receive(data)
            if type(answer) is not bytes:
                answer = answer_bytes(answer)
            if answer:
                self._transport.write(answer)
                self.bytes_sent += len(answer)
            if self._responder.finished:
                self._finish()
        except BaseException as error:
            self._fail(error)

    def _data_received(self, data: bytes) -> None:
        """As ``data_received``, where taps look on, where pieces are cut, or where bytes are only read away."""
        try:
            if self.taps:
                data = self.tapped(RECEIVED, data)
            if data and not self._finishing:
                self._pending = self._pending + data if self._pending else data
                self._work()
        except BaseException as error:
            self._fail(error)

    def _work(self) -> None:
        """Give the responder what is pending, until the client takes no more answers."""
        piece = self._piece or len(self._pending)
        place = 0
        try:
            while place < len(self._pending) and not (self._paused or self._finishing):
                given = self._pending[place : place + piece]
                place += len(given)
                self._answer(self._responder.receive(given))
        finally:
            self._pending = b"" if self._finishing else self._pending[place:]

    def eof_received(self) -> bool:
        if not self.ended:
            self._peer_first = not self.half_closed
            self.ended = True
            self._registry.half_closed(self)
        if self._finishing:
            if self.taps:
                self.tapped_end(RECEIVED)
            return False
        try:
            if self.taps and (held := self.tapped_end(RECEIVED)):
                self._pending += held
                self._work()
            if self._pending or self._responder.streams:
                return True
            self._last_answer()
        except BaseException as error:
            self._fail(error)
        return False  # the transport sends what it holds, then closes

    def _last_answer(self) -> None:
        if not self._finishing:
            answer = self._responder.ended()
            if answer is not None or self._responder.finished:
                self._answer(answer)
        self._let_go()

    def _let_go(self) -> None:
        """Send what altering taps still hold back."""
        if self.taps and not self._transport.is_closing() and (held := self.tapped_end(SENT)):
            self._transport.write(held)
            self.bytes_sent += len(held)

    def _answer(self, answer: Any) -> None:
        """Send what the responder gave, and see whether it has finished. Raises what the responder raises."""
        data = answer if type(answer) is bytes else answer_bytes(answer)
        if data and self.taps:
            data = self.tapped(SENT, data)
        if data and not self._transport.is_closing():
            self._transport.write(data)
            self.bytes_sent += len(data)
        if self._responder.finished:
            self._finish()

    def _stream(self) -> None:
        """An endless answer: some pieces at a time, or a client that reads fast would have the loop for itself."""
        try:
            for _ in range(BURST):
                if self._paused or self._finishing or self._transport.is_closing():
                    return
                piece = answer_bytes(self._responder.more())
                if not piece:
                    self._finish()
                    return
                self._answer(piece)
        except BaseException as error:
            self._fail(error)
            return
        self._loop.call_soon(self._stream)

    def pause_writing(self) -> None:
        self._paused = True
        if not (self._responder.streams or self.ended or self._finishing or self._transport.is_closing()):
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._transport.is_closing():
            return
        if self._responder.streams:
            self._stream()
            return
        if self._pending:
            try:
                self._work()
                if self.ended and not self._pending:
                    self._last_answer()
                    self._transport.close()
            except BaseException as error:
                self._fail(error)
        if not (self._paused or self.ended or self._transport.is_closing()):
            self._transport.resume_reading()

    def _fail(self, error: BaseException) -> None:
        """What the responder (or a tap) raised ends this one connection."""
        if self._failure is None:
            self._failure = error
            if is_handlers_fault(self, error):
                self._registry.fail(self, error, traceback.format_exc())
        self._finish()

    def _finish(self) -> None:
        """The server ends it: our end first, then a moment for the client's."""
        if self._finishing:
            return
        self._finishing = True
        self._pending = b""
        try:
            self._let_go()
            if self.ended or self._transport.is_closing():
                self._transport.close()
                return
            self.half_closed = True
            self._transport.write_eof()
        except OSError:  # the client has gone already
            self._transport.abort()
            return
        if self._paused:
            self._transport.resume_reading()
        self._given_up = self._loop.call_later(LINGER, self._give_up)

    def _give_up(self) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size():  # it has not even been given all of the answer
            self._given_up = self._loop.call_later(LINGER, self._give_up)
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.closed:
            return
        if isinstance(error, OSError) and self._failure is None:
            self._failure = broken(error, self.peer)
        self.closed = True
        if self._given_up is not None:
            self._given_up.cancel()
        by, reason = ending_of(self, self._failure, peer_first=self._peer_first)
        self._failure = None
        self._socket.close()
        if self._socket.fileno() < 0:
            self._registry.remove(self, by, reason)
        else:  # the transport has the descriptor too, and closes it when this returns
            self._loop.call_soon(self._registry.remove, self, by, reason)
