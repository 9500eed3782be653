"""TLS on an event loop: between a transport and a protocol, with a half-close and without blocking the loop.

asyncio's own TLS knows no half-close: the end of a client would end the answers to it. So here, as for threads, OpenSSL
works on buffers in memory (``endpoints.tls_engine``), and the protocol above sees a transport like any other.
"""

from __future__ import annotations

import asyncio
import traceback

from wirecat.endpoints import tls_failures
from wirecat.endpoints.place import place_of
from wirecat.endpoints.tls_handshake import TlsHandshake
from wirecat.errors import WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from typing import Any

    from wirecat.endpoints.tls_engine import TlsEngine
    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.server.loop_handshakes import LoopHandshakes

_OVER = asyncio.Protocol()  # stands for the protocol above when the connection is over


class TlsProtocol(asyncio.Protocol):
    """Does the handshake as the server, then drives the protocol that ``owner.enter`` gives it by ``drive``.

    It is an entry of ``owner.table`` until the handshake is over. If there is none in time, or it fails, the owner's
    ``turn_away`` is called with the reason. An end of the stream without TLS's own end counts as the end, as it does for
    threads.
    """

    def __init__(self, owner: LoopHandshakes, accepted: socket.socket, peer: Any) -> None:
        self.socket = accepted
        self.peer = peer
        self._owner: LoopHandshakes | None = owner
        self._handshake: TlsHandshake | None = TlsHandshake(owner.listener.context, place_of(peer))
        self._engine: TlsEngine = None  # type: ignore[assignment]
        self._inner = _OVER
        self._reason = ""  # why there was no handshake
        self._buffer = owner.buffer
        self._lost = False
        self._raw_ended = False  # the stream below has ended
        self._ended = False  # the protocol above knows of the client's end
        self._loop = asyncio.get_running_loop()
        self.reading = True
        self.closing = self.half_closed = False
        self.raw: asyncio.Transport = None  # type: ignore[assignment]

    def facts(self) -> TlsFacts:
        """What the handshake has agreed on; to be called by ``owner.enter``."""
        assert self._handshake is not None
        return self._handshake.facts()

    def drive(self, inner: asyncio.Protocol) -> None:
        """Let ``inner`` be the protocol above; to be called by ``owner.enter``."""
        self._inner = inner
        inner.connection_made(TlsTransport(self))

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.raw = transport  # type: ignore[assignment]
        if self._handshake is None:  # turned away before it began
            self.raw.abort()

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        handshake = self._handshake
        if handshake is None:
            self._engine.feed(data)
            self._deliver()
            return
        handshake.receive(data)
        if handshake.failure is not None:
            self._turn_away(f"no TLS: {handshake.failure.message}")
        elif handshake.is_startable:
            assert self._owner is not None
            if self._owner.table.activate(self):
                self._owner.schedule(self)
            else:
                self.raw.pause_reading()

    def eof_received(self) -> bool:
        if self._handshake is not None and self._handshake.engine is not None:
            self.compute()  # the last of the handshake, and data, may have come with the end
        if self._handshake is not None:
            self._handshake.end()
            self._fail(self._handshake)
        if self.closing:
            return False
        self._raw_ended = True
        self._deliver()
        return True  # we go on sending until the protocol above has done

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._handshake is not None:
            self._handshake.end()
            self._fail(self._handshake)
        if self._inner is _OVER:
            self.socket.close()
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.turn_away(self.peer, self._reason)
        if not self._lost:
            self._lost = True
            self._end_inner(error)

    def _end_inner(self, error: Exception | None) -> None:
        inner, self._inner = self._inner, _OVER  # which knows this object, by its transport: a cycle of references
        inner.connection_lost(error)

    # The handshake

    def compute(self) -> None:
        """Go on with the handshake as far as what has come allows. For ``owner`` to call, when there is time."""
        handshake = self._handshake
        if handshake is None:
            return
        try:
            handshake.proceed()
        except WirecatError as error:  # there is no context
            self._turn_away(f"no TLS: {error.message}")
            return
        except Exception as error:
            assert self._owner is not None
            self._owner.registry.fail(None, error, traceback.format_exc())
            self._turn_away("no TLS: internal error")
            return
        if out := handshake.take_out():
            self.raw.write(out)
        if handshake.failure is not None:
            self._fail(handshake)
        elif handshake.done:
            self._enter(handshake)

    def _enter(self, handshake: TlsHandshake) -> None:
        assert handshake.engine is not None and self._owner is not None
        self._engine = handshake.engine
        owner = self._owner
        owner.table.remove(self)
        entered = owner.enter(self)
        self._handshake = self._owner = None
        if not entered:
            self.closing = self._lost = True
            self.raw.abort()
        elif not self.closing:
            self._deliver()

    def resume(self) -> None:
        """See Entry."""
        if self._handshake is not None and self._owner is not None:
            self.raw.resume_reading()
            self._owner.schedule(self)

    def expire(self, seconds: float) -> None:
        """See Entry."""
        if self._handshake is not None:
            self._handshake.expire(seconds)
            self._fail(self._handshake)

    def drop(self, reason: str) -> None:
        """See Entry."""
        self._turn_away(reason)

    def _fail(self, handshake: TlsHandshake) -> None:
        assert handshake.failure is not None
        self._turn_away(f"no TLS: {handshake.failure.message}")

    def _turn_away(self, reason: str) -> None:
        """There will be no handshake: close, and report it when that is done."""
        if self._handshake is None or self._owner is None:
            return
        self._owner.table.remove(self)
        self._handshake = None
        self._reason = reason
        self.closing = self._lost = True
        if self.raw is None:
            return
        if self.raw.get_write_buffer_size():  # it does not even take an alert
            self.raw.abort()
        else:
            self.raw.close()

    # What flows

    def flush(self) -> None:
        """Hand on what is encrypted."""
        if self._engine.wants_out and not self._lost:
            self.raw.write(self._engine.take_out())

    def _deliver(self) -> None:
        """Give the protocol above what has come, as long as it takes it."""
        import ssl

        try:
            while self.reading and not (self.closing or self._ended):
                count = self._engine.read_into(self._buffer)
                if not count:
                    if count is not None or self._raw_ended:
                        self._tell_end()
                    break
                self._inner.data_received(bytes(self._buffer[:count]))
        except ssl.SSLError as error:
            self.broken(error)
            return
        if not self.closing:
            self.flush()  # an answer to a change of keys

    def _tell_end(self) -> None:
        if self._ended or self.closing:
            return
        self._ended = True
        if not self._inner.eof_received():
            self.close()

    def broken(self, error: ssl.SSLError) -> None:
        """TLS broke: the connection is over, and that is told as a lost one."""
        if not (self.closing or self._lost):
            self.closing = self._lost = True
            self.raw.abort()
            self._loop.call_soon(self._end_inner, tls_failures.broken_tls(error, place_of(self.peer)))

    def resume_reading(self) -> None:
        """The protocol above takes bytes again."""
        if not self.reading:
            self.reading = True
            self.raw.resume_reading()
            self._loop.call_soon(self._deliver)

    def write(self, data: Any) -> None:
        """Encrypt and send."""
        import ssl

        if self.closing or self._lost or not data:
            return
        try:
            self._engine.write(memoryview(data))
        except ssl.SSLError as error:
            self.broken(error)
            return
        self.flush()

    def write_eof(self) -> None:
        """TLS's own end of stream; what the client sends is received on."""
        if not (self.half_closed or self.closing or self._lost):
            self.half_closed = True
            self._engine.close_notify()
            self.flush()
            if self.reading:
                self._loop.call_soon(self._deliver)  # what close_notify() had to read first

    def close(self) -> None:
        """Send what there is, then close."""
        if not self.closing:
            self.write_eof()
            self.closing = True
            self.raw.close()


class TlsTransport(asyncio.Transport):
    """What the protocol above writes to; it does as the transport below does."""

    def __init__(self, tls: TlsProtocol) -> None:
        super().__init__()
        self._tls = tls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._tls.write(data)

    def write_eof(self) -> None:
        self._tls.write_eof()

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self._tls.reading = False
        self._tls.raw.pause_reading()

    def resume_reading(self) -> None:
        self._tls.resume_reading()

    def is_reading(self) -> bool:
        return self._tls.reading

    def get_write_buffer_size(self) -> int:
        return self._tls.raw.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._tls.raw.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._tls.closing or self._tls.raw.is_closing()

    def close(self) -> None:
        self._tls.close()

    def abort(self) -> None:
        self._tls.closing = True
        self._tls.raw.abort()
