"""DTLS over a stream of datagrams, either side: one thread may send while another receives."""

from __future__ import annotations

import _thread

from wirecat.deadline import Deadline
from wirecat.endpoints import tls_failures
from wirecat.endpoints.dtls_engine import DtlsEngine
from wirecat.endpoints.tls_facts import TlsFacts
from wirecat.endpoints.whole_datagrams import WholeDatagrams
from wirecat.errors import ConnectionClosed, DeadlineExpired, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.endpoints.dtls_context import DtlsContext
    from wirecat.stream import Stream

HANDSHAKE_TIME = 10.0  # seconds, where no deadline says otherwise
_LARGEST = 65536


class DtlsStream(WholeDatagrams):
    """DTLS over ``inner``, which it closes with itself; ``tls`` tells what was agreed on.

    The handshake is done at its first use, until ``deadline``; ``engine`` is one that has begun it. Each send is one
    datagram, each receive gives one; a close tells the peer of the end, unless that datagram is lost.
    """

    __slots__ = (
        "_aborted", "_closed", "_context", "_deadline", "_engine", "_failure", "_ready", "_receiving",
        "_server_name", "_server_side", "_shaking", "_timeout", "ended", "inner", "tls",
    )  # fmt: skip

    def __init__(
        self,
        inner: WholeDatagrams,
        context: DtlsContext,
        *,
        server_side: bool = False,
        server_name: str = "",
        deadline: Deadline | None = None,
        engine: DtlsEngine | None = None,
    ) -> None:
        super().__init__()
        self.inner = inner
        self.tls: TlsFacts | None = None
        self.ended = False
        self._context = context
        self._server_side = server_side
        self._server_name = server_name
        self._deadline = deadline or Deadline(HANDSHAKE_TIME)
        self._timeout: float | None = None
        self._ready = self._closed = self._aborted = False
        self._failure: WirecatError | None = None
        self._shaking, self._receiving = _thread.allocate_lock(), _thread.allocate_lock()
        self._engine: DtlsEngine = engine  # type: ignore[assignment]

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The other end's address: that of the stream below."""
        return self.inner.peer

    @property
    def local(self) -> Address:  # type: ignore[override]
        """This end's address: that of the stream below."""
        return self.inner.local

    @property
    def ready(self) -> bool:  # type: ignore[override]
        """See Stream."""
        return self._ready

    @property
    def idle(self) -> float | None:  # type: ignore[override]
        """See WholeDatagrams: that of the stream below."""
        return self.inner.idle

    @property
    def active_at(self) -> float:  # type: ignore[override]
        """See WholeDatagrams: that of the stream below."""
        return self.inner.active_at

    def handshake(self) -> None:
        """Shake hands, if that has not been done. Raises TlsError, CertificateError, NoAnswer, each time anew."""
        if self._ready:
            return
        self._require_open("TLS handshake")
        with self._shaking:
            if self._failure is not None:
                raise self._failure
            if not self._ready:
                try:
                    self._shake()
                except WirecatError as error:
                    self._failure = error
                    raise
                finally:
                    if not self._closed:
                        self.inner.set_timeout(self._timeout)

    def _shake(self) -> None:
        while not self._step():
            self._wait_for_more()

    def _step(self) -> bool:
        """Go on with the handshake as far as what has come allows; whether it is done."""
        from OpenSSL import SSL

        if self._engine is None:
            self._engine = self._context.engine(self._server_side, self._server_name, str(self.peer))
        try:
            done = self._engine.shake()
            self._send_out()
        except SSL.Error as error:
            try:
                self._send_out()  # the alert that tells the peer
            except OSError:
                pass  # it has gone
            raise self._context.failure(self._engine, error, self.peer, self._server_name) from error
        if done:
            self.tls = self._context.facts(self._engine, self._server_name)
            if not self._server_side:
                self._context.check_name(self.tls, self.peer, self._server_name)
            self._ready = True
        return done

    def _wait_for_more(self) -> None:
        """A datagram of the peer, or the moment to send again what may have been lost (RFC 6347 section 4.2.4)."""
        if self._deadline.expired:
            raise tls_failures.no_handshake(self.peer, self._deadline.seconds, self._server_side)
        resend = self._engine.resend_after
        self.inner.set_timeout(self._deadline.within(1.0 if resend is None else max(resend, 0.001)))
        try:
            datagram = self.inner.receive(_LARGEST)
        except DeadlineExpired:
            self._engine.resend()
            return
        if self.inner.ended:
            raise tls_failures.ended_early(self.peer)
        self._engine.feed(datagram)

    def _send_out(self) -> None:
        for datagram in self._engine.take_out():
            self.inner.send(datagram)

    def receive(self, limit: int) -> bytes:
        """See Stream: one datagram. The rest of one of more than ``limit`` bytes comes next."""
        self.handshake()
        with self._receiving:
            return super().receive(limit)

    def _next(self) -> bytes:
        from OpenSSL import SSL

        while not self.ended:
            self._require_open("receive")
            try:
                data = self._engine.read()
            except SSL.Error as error:
                raise self._context.failure(self._engine, error, self.peer, self._server_name) from error
            self._send_out()  # the peer's last flight has come again, because ours was lost
            if data is None:
                datagram = self.inner.receive(_LARGEST)
                self.ended = self.inner.ended
                self._engine.feed(datagram)
            else:
                self.ended = not data
                return data
        return b""

    def feed(self, datagram: bytes) -> list[bytes]:
        """See WholeDatagrams. The handshake goes on first."""
        from OpenSSL import SSL

        if self._engine is None:
            self._step()
        self._engine.feed(datagram)
        pieces: list[bytes] = []
        if not self._ready and not self._step():
            return pieces
        try:
            while data := self._engine.read():
                pieces.append(data)
        except SSL.Error as error:
            raise self._context.failure(self._engine, error, self.peer, self._server_name) from error
        self._send_out()  # the peer's last flight has come again, because ours was lost
        self.ended = self._engine.ended
        return pieces

    def repeat_handshake(self) -> None:
        """See WholeDatagrams (RFC 6347 section 4.2.4)."""
        from OpenSSL import SSL

        if self._ready:
            return
        if self._deadline.expired:
            raise tls_failures.no_handshake(self.peer, self._deadline.seconds, self._server_side)
        if self._engine.resend_after == 0:
            try:
                self._engine.resend()
            except SSL.Error as error:
                raise self._context.failure(self._engine, error, self.peer, self._server_name) from error
            self._send_out()

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream: ``data`` as one datagram; none for no data. Raises WirecatError where it is too large for one."""
        from OpenSSL import SSL

        self.handshake()
        self._require_open("send")
        try:
            self._engine.write(bytes(data))
        except SSL.Error as error:
            raise self._context.failure(self._engine, error, self.peer, self._server_name) from error
        self._send_out()

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """See Stream."""
        self.inner.watch(partner, give_up=give_up)

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self._timeout = seconds
        self.inner.set_timeout(seconds)

    def close(self) -> None:
        """See Stream: tells the peer, which may not hear it."""
        if self._closed:
            return
        self._closed = True
        if self._ready and not self._aborted:
            self._engine.close_notify()
            try:
                self._send_out()
            except OSError:
                pass  # there is nobody to tell
        self.inner.close()

    def abort(self) -> None:
        """See Stream."""
        self._aborted = True
        self.inner.abort()

    def fileno(self) -> int:
        """-1: there may be data although nothing comes."""
        return -1

    def _require_open(self, step: str) -> None:
        if self._closed:
            raise ConnectionClosed("this side has closed the connection already", address=self.peer, step=step)
