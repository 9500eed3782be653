"""A responder on an event loop: one asyncio.Protocol per connection, with back-pressure and an orderly end."""

from __future__ import annotations

import asyncio
import traceback

from wirecat.address import Address
from wirecat.connection import ConnectionState
from wirecat.endpoints.failures import broken
from wirecat.endpoints.socket_stream import LINGER, place_of
from wirecat.server.ending import ending_of, is_handlers_fault
from wirecat.taps.tap import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

    from wirecat.server.registry import Registry
    from wirecat.server.responder import Responder


class ResponderProtocol(ConnectionState, asyncio.Protocol):
    """Drives ``responder`` for one accepted socket. While the client takes nothing, nothing is read from it.

    After the responder's last byte comes our FIN; what the client is still sending is read away, for at most LINGER
    seconds, because a close with bytes unread would reset the connection and lose the answer.
    """

    __slots__ = (
        "_chunk", "_failure", "_finishing", "_local", "_paused", "_peer", "_registry", "_responder", "_socket", "_transport",
    )  # fmt: skip

    def __init__(
        self, responder: Responder, accepted: socket.socket, peer: Any, registry: Registry, chunk: int | None
    ) -> None:
        super().__init__(registry.next_id())
        self._responder = responder
        self._socket = accepted
        self._peer = peer
        self._local: Address | None = None
        self._registry = registry
        self._chunk = chunk
        self._failure: BaseException | None = None
        self._finishing = False
        self._paused = False
        self._transport: asyncio.Transport = None  # type: ignore[assignment]

    @property
    def peer(self) -> Address:
        """The client's address."""
        if not isinstance(self._peer, Address):
            self._peer = place_of(self._peer, self._socket.family)
        return self._peer

    @property
    def local(self) -> Address:
        """The server's address."""
        if self._local is None:
            try:
                self._local = place_of(self._socket.getsockname(), self._socket.family)
            except OSError:
                return Address("tcp", "unknown", 0)
        return self._local

    def abort(self) -> None:
        """See ConnectionState. To be called on the event loop."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self.cut_reason:  # cut while the loop was taking it over
            self._transport.abort()
            return
        self._call(self._responder.opened)
        if self._responder.streams:
            self._stream()

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if self.taps:
            data = self.tapped(RECEIVED, data)
        if self._finishing:
            return
        chunk = self._chunk
        if chunk is None or len(data) <= chunk:
            self._call(self._responder.receive, data)
            return
        for start in range(0, len(data), chunk):
            self._call(self._responder.receive, data[start : start + chunk])

    def eof_received(self) -> bool:
        self.ended = True
        if self._finishing:
            return False
        if self._responder.streams:
            self._registry.half_closed(self)
            return True
        self._call(self._responder.ended)
        return False  # the transport sends what it holds, then closes

    def _call(self, method: Any, *arguments: bytes) -> None:
        """Ask the responder and send its answer; what it raises ends this one connection."""
        if self._finishing:
            return
        try:
            reply = method(*arguments)
        except Exception as error:
            self._failure = error
            if is_handlers_fault(self, error):
                self._registry.fail(self, error, traceback.format_exc())
            self._finish()
            return
        if reply:
            self._write(reply)
        if self._responder.finished:
            self._finish()

    def _write(self, reply: bytes) -> None:
        if self.taps:
            reply = self.tapped(SENT, reply)
        self._transport.write(reply)
        self.bytes_sent += len(reply)

    def _stream(self) -> None:
        while not (self._paused or self._finishing or self._transport.is_closing()):
            try:
                piece = self._responder.more()
            except Exception as error:
                self._failure = error
                self._registry.fail(self, error, traceback.format_exc())
                piece = None
            if piece is None:
                self._finish()
            else:
                self._write(piece)

    def pause_writing(self) -> None:
        self._paused = True
        if not self._responder.streams and not self.ended:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._responder.streams:
            self._stream()
        elif not self.ended and not self._transport.is_closing():
            self._transport.resume_reading()

    def _finish(self) -> None:
        """The server ends it: our end first, then a moment for the client's."""
        if self._finishing:
            return
        self._finishing = True
        if self.ended or self._transport.is_closing():
            self._transport.close()
            return
        self.half_closed = True
        self._transport.write_eof()
        if self._paused:
            self._transport.resume_reading()
        asyncio.get_running_loop().call_later(LINGER, self._give_up)

    def _give_up(self) -> None:
        if not self._transport.is_closing():
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(error, OSError) and self._failure is None:
            self._failure = broken(error, self.peer)
        self.closed = True
        by, reason = ending_of(self, self._failure)
        if self.half_closed and not self._failure and not self.cut_reason:
            by = "server"
        self._failure = None
        self._socket.close()
        self._registry.remove(self, by, reason)
