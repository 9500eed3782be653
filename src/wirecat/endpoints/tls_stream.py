"""TLS over an open stream, either side: one thread may send while another receives.

What OpenSSL gives and wants is sent and received here, outside its lock. Two things keep the order: one at a time sends
what is encrypted, and one at a time receives. A receive may have something to send too (an answer to a change of keys):
it leaves that to a send that is under way, which looks again when it is done.
"""

from __future__ import annotations

import _thread

from wirecat.deadline import Deadline
from wirecat.endpoints import tls_failures
from wirecat.endpoints.blocking_handshake import complete
from wirecat.endpoints.socket_stream import LINGER
from wirecat.endpoints.tls_engine import TlsEngine
from wirecat.endpoints.tls_handshake import TlsHandshake
from wirecat.endpoints.wrapped_stream import WrappedStream
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired, WirecatError
from wirecat.stream import PartnerLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Self

    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.stream import Stream

    Context = ssl.SSLContext | Callable[[], ssl.SSLContext]

HANDSHAKE_TIME = 10.0  # seconds, where no deadline says otherwise
_READ = 1 << 16
_PIECE = 1 << 16  # bytes encrypted at a time: four records of the largest size (RFC 8446 section 5.1)


class TlsStream(WrappedStream):
    """TLS over the stream ``inner``, which it closes with itself; ``tls`` tells what was agreed on.

    Made by ``connect`` or ``accept``. One that is made without them shakes hands at its first use, until ``deadline``.
    ``context`` may be a function that makes it. ``common_names`` compares names in the wider way of
    ``wire.certificate_match``. ``allow_truncation`` takes the end of the stream below for the end, as many programs do.
    """

    __slots__ = (
        "_aborted", "_cipher", "_closed", "_common_names", "_context", "_deadline", "_engine", "_failure", "_flushing",
        "_half_closed", "_ready", "_receiving", "_sending", "_server_name", "_server_side", "_shaking", "_timeout",
        "_unsent", "allow_truncation", "ended", "tls",
    )  # fmt: skip

    raw_obstacle = "TLS"

    def __init__(
        self,
        inner: Stream,
        context: Context,
        *,
        server_side: bool = False,
        server_name: str = "",
        common_names: bool = False,
        allow_truncation: bool = False,
        deadline: Deadline | None = None,
    ) -> None:
        super().__init__(inner)
        self.tls: TlsFacts | None = None
        self.ended = False
        self.allow_truncation = allow_truncation
        self._context = context
        self._server_side = server_side
        self._server_name = server_name
        self._common_names = common_names
        self._deadline = deadline or Deadline(HANDSHAKE_TIME)
        self._timeout: float | None = None
        self._ready = self._half_closed = self._closed = self._aborted = False
        self._failure: WirecatError | None = None  # what ended the handshake
        self._shaking, self._sending, self._receiving, self._flushing = (_thread.allocate_lock() for _ in range(4))
        self._unsent: bytes | memoryview = b""  # encrypted bytes that a send had no time for
        self._cipher = memoryview(b"")
        self._engine: TlsEngine = None  # type: ignore[assignment]

    @classmethod
    def connect(
        cls,
        inner: Stream,
        context: Context,
        server_name: str,
        deadline: Deadline,
        *,
        common_names: bool = False,
        allow_truncation: bool = False,
    ) -> Self:
        """Shake hands as the client; ``server_name`` is sent (SNI) and checked, where ``context`` says so.

        Raises TlsError, CertificateError, NoAnswer (the deadline); ``inner`` is closed then.
        """
        return cls(
            inner, context, server_name=server_name, common_names=common_names, allow_truncation=allow_truncation,
            deadline=deadline,
        )._shaken()  # fmt: skip

    @classmethod
    def accept(cls, inner: Stream, context: Context, deadline: Deadline, *, allow_truncation: bool = False) -> Self:
        """Shake hands as the server. Raises TlsError, CertificateError; ``inner`` is closed then."""
        return cls(inner, context, server_side=True, allow_truncation=allow_truncation, deadline=deadline)._shaken()

    @classmethod
    def secured(cls, inner: Stream, handshake: TlsHandshake, *, allow_truncation: bool = False) -> Self:
        """Over a stream whose handshake as the server is complete."""
        assert handshake.engine is not None
        stream = cls(inner, handshake.engine.object.context, server_side=True, allow_truncation=allow_truncation)
        stream._engine, stream._ready = handshake.engine, True
        stream.tls = handshake.facts()
        return stream

    def _shaken(self) -> Self:
        try:
            self.handshake()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def ready(self) -> bool:  # type: ignore[override]
        """See Stream."""
        return self._ready

    @property
    def buffered(self) -> bool:
        """See Stream."""
        return self._ready and self._engine.buffered

    # The handshake

    def handshake(self) -> None:
        """Shake hands, if that has not been done. Raises what ``connect`` raises, each time anew; closes nothing."""
        if self._ready:
            return
        self._require_open("TLS handshake")
        with self._shaking:
            if self._failure is not None:
                raise self._failure
            if not self._ready:
                if self._deadline.partner is not None:
                    self.inner.watch(self._deadline.partner)
                try:
                    self._shake()
                except WirecatError as error:
                    self._failure = error
                    raise
                finally:
                    if self._deadline.partner is not None:
                        self.inner.watch(None)
                    if not self._closed:
                        self.inner.set_timeout(self._timeout)

    def _shake(self) -> None:
        context = self._context() if callable(self._context) else self._context
        handshake = TlsHandshake(
            lambda: context, self.peer, server_side=self._server_side, server_name=self._server_name
        )

        def check() -> None:
            self.tls = handshake.facts()
            if self._common_names and not self._server_side and context.verify_mode:
                from wirecat.endpoints.tls_facts import require_name

                require_name(self.tls, self.peer, self._server_name)

        complete(handshake, self.inner, self._deadline, server_side=self._server_side, check=check)
        assert handshake.engine is not None
        self._engine = handshake.engine
        self._ready = True

    # Receiving

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream. Raises ConnectionBroken also where the stream ends without TLS's own end."""
        self.handshake()
        view = memoryview(buffer).cast("B")
        if not len(view):
            return 0
        with self._receiving:
            while (count := self._decrypt(view)) is None:
                self._flush(wait=False)
                if not self._cipher:
                    self._cipher = memoryview(bytearray(_READ))
                got = self.inner.receive_into(self._cipher)
                if not got:
                    return self._cut_short()
                self._engine.feed(self._cipher[:got])
            return count

    def receive(self, limit: int) -> bytes:
        """See Stream. Raises ConnectionBroken also where the stream ends without TLS's own end."""
        buffer = bytearray(min(limit, _READ))
        count = self.receive_into(buffer)
        return bytes(memoryview(buffer)[:count])

    def _decrypt(self, view: memoryview) -> int | None:
        import ssl

        self._require_open("receive")
        try:
            count = self._engine.read_into(view)
        except ssl.SSLError as error:
            raise tls_failures.broken_tls(error, self.peer) from error
        self.ended = count == 0
        return count

    def _cut_short(self) -> int:
        """The stream below has ended.

        OpenSSL is not told: it would refuse to send from then on, and a peer that ends its half in this way may still
        want an answer.
        """
        self.ended = True
        if self._aborted or self._closed or self.allow_truncation:
            return 0
        raise tls_failures.truncated(self.peer)

    # Sending

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream."""
        import ssl

        self.handshake()
        view = memoryview(data).cast("B")
        sent = before = 0
        with self._sending:
            self._require_open("send")
            if self._half_closed:
                message = "this side has half-closed the connection already"
                raise ConnectionClosed(message, address=self.peer, step="send")
            try:
                while sent < len(view):
                    piece = view[sent : sent + _PIECE]
                    self._engine.write(piece)
                    before, sent = sent, sent + len(piece)
                    self._flush()
            except ssl.SSLError as error:
                raise tls_failures.broken_tls(error, self.peer) from error
            except DeadlineExpired as error:
                # What is encrypted stays, and goes out before anything else.
                left, seconds = len(view) - sent, self._timeout or 0
                raise DeadlineExpired(
                    f"the peer took no more for {seconds:g} s ({left} bytes left)", unsent=left, address=self.peer,
                    step="send",
                ) from error  # fmt: skip
            except ConnectionBroken as error:
                error.unsent = len(view) - before
                raise

    def _flush(self, wait: bool = True) -> None:
        """Send what is encrypted, in order. Without ``wait`` it is left to whoever is sending at the moment."""
        while self._unsent or self._engine.wants_out:
            if not self._flushing.acquire(wait):
                return  # he looks again once he has let go
            try:
                data, self._unsent = self._unsent or self._engine.take_out(), b""
                try:
                    self.inner.send(data)
                except DeadlineExpired as error:
                    if error.unsent is None:  # nobody knows where to go on
                        raise ConnectionBroken("TLS was cut off", address=self.peer, step="send") from error
                    self._unsent = memoryview(data)[len(data) - error.unsent :]
                    if wait:
                        raise
                    return
                except PartnerLost as lost:  # what is encrypted must still go out before anything else
                    self._unsent = memoryview(data)[len(data) - (lost.unsent or 0) :]
                    raise
            finally:
                self._flushing.release()

    def half_close(self) -> None:
        """See Stream: TLS's own end of stream, a close_notify (RFC 8446 section 6.1)."""
        self.handshake()
        with self._sending:
            self._require_open("half-close")
            if not self._half_closed:
                self._half_closed = True
                self._engine.close_notify()
            self._flush()

    # Ends

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self._timeout = seconds
        self.inner.set_timeout(seconds)

    def close(self) -> None:
        """See Stream: a close_notify, then the end of the stream below. Takes at most twice LINGER seconds."""
        if self._closed:
            return
        self._closed = True
        self._failure = None  # its frames know this stream: a cycle of references
        # Not while another thread is in the middle of a send: the peer then learns that it was cut short.
        if self._ready and not (self._half_closed or self._aborted) and self._sending.acquire(False):
            try:
                self.inner.set_timeout(LINGER)
                self._half_closed = True
                self._engine.close_notify()
                self._flush()
            except OSError:
                pass  # the peer has gone already: there is nothing left to be orderly with
            finally:
                self._sending.release()
        self.inner.close()

    def abort(self) -> None:
        """See Stream."""
        self._aborted = True
        self.inner.abort()

    def fileno(self) -> int:
        """The descriptor of the stream below; see ``buffered``."""
        return self.inner.fileno()

    def _require_open(self, step: str) -> None:
        if self._closed:
            raise ConnectionClosed("this side has closed the connection already", address=self.peer, step=step)
