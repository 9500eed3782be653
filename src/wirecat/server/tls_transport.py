"""TLS on an event loop: between a transport and a protocol, with a half-close and without blocking the loop.

asyncio's own TLS knows no half-close: the end of a client would end the answers to it. So here, as for threads, OpenSSL
works on buffers in memory (``endpoints.tls_engine``), and the protocol above sees a transport like any other.
"""

from __future__ import annotations

import asyncio

from wirecat.address import Address
from wirecat.endpoints import tls_failures
from wirecat.endpoints.tls_engine import TlsEngine
from wirecat.endpoints.tls_facts import facts_of
from wirecat.errors import WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.tls_facts import TlsFacts

_READ = 1 << 16


class TlsProtocol(asyncio.Protocol):
    """Shakes hands as the server, then drives ``inner`` with what was decrypted.

    ``on_ready`` is called after the handshake, before ``inner`` is. If there is none within ``seconds``, or it fails,
    ``inner`` is never called, and ``on_failure(error)`` is once the transport below has gone. An end of the stream
    without TLS's own end counts as the end, as it does for threads.
    """

    def __init__(
        self,
        inner: asyncio.Protocol,
        context: ssl.SSLContext,
        peer: Address,
        seconds: float,
        on_ready: Callable[[], None],
        on_failure: Callable[[WirecatError], None],
    ) -> None:
        self._inner = inner
        self._engine = TlsEngine(context, True, "")
        self._peer = peer
        self._seconds = seconds
        self._on_ready = on_ready
        self._on_failure = on_failure
        self._ready = self._lost = False
        self._failure: WirecatError | None = None
        self._raw_ended = False  # the stream below has ended
        self._ended = False  # the protocol above was told of the client's end
        self._first = b""
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = memoryview(bytearray(_READ))
        self._loop = asyncio.get_running_loop()
        self.reading = True
        self.closing = self.half_closed = False
        self.raw: asyncio.Transport = None  # type: ignore[assignment]

    def facts(self) -> TlsFacts:
        """What the handshake has agreed on, once it is done."""
        return facts_of(self._engine.object, "")

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.raw = transport  # type: ignore[assignment]
        if self._failure is not None:  # given up before it began
            self.raw.abort()
            return
        error = tls_failures.no_handshake(self._peer, self._seconds, True)
        self._timer = self._loop.call_later(self._seconds, self._fail, error)

    def data_received(self, data: bytes) -> None:
        if self._failure is not None or self.closing:
            return
        self._engine.feed(data)
        if not self._ready and not self._shake(data):
            return
        self._deliver()

    def eof_received(self) -> bool:
        if not self._ready:
            self._fail(tls_failures.ended_early(self._peer))
            return False
        self._raw_ended = True
        self._deliver()
        return True  # we go on sending until the protocol above has done

    def pause_writing(self) -> None:
        if self._ready:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._ready:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        self._stop_timer()
        if self._ready:
            self._inner.connection_lost(error)
        else:
            self._on_failure(self._failure or tls_failures.ended_early(self._peer))

    # The handshake

    def _shake(self, data: bytes) -> bool:
        import ssl

        self._first = self._first or data[:64]
        try:
            if not tls_failures.looks_like_tls(self._first):
                raise tls_failures.not_tls(self._peer, self._first)
            done = self._engine.shake()
        except ssl.SSLError as error:
            self._fail(tls_failures.handshake_failure(error, self._peer, "", self._first))
            return False
        except WirecatError as error:
            self._fail(error)
            return False
        self.flush()
        if done:
            self._stop_timer()
            self._ready = True
            self._on_ready()
            self._inner.connection_made(TlsTransport(self))
        return done

    def _fail(self, error: WirecatError) -> None:
        """No handshake came about."""
        if self._failure is None and not self._ready:
            self._failure = error
            self._stop_timer()
            self.flush()  # the alert that tells the peer
            self.raw.close()

    def give_up(self, error: WirecatError) -> None:
        """End the handshake from outside, if it still goes on."""
        if self._failure is None and not self._ready:
            self._failure = error
            if self.raw is not None:
                self.raw.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

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
            self._loop.call_soon(self._inner.connection_lost, tls_failures.broken_tls(error, self._peer))

    def resume(self) -> None:
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
        self._tls.resume()

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
