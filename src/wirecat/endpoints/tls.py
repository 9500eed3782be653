"""TLS: connecting and listening, over TCP and whatever TCP can do (``source``, ``family``, ``proxy``)."""

from __future__ import annotations

import _thread

from wirecat.deadline import Deadline
from wirecat.endpoints import tcp
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.tls_context import check_server_options
from wirecat.endpoints.tls_context import client_context as client_context
from wirecat.endpoints.tls_context import server_context as server_context
from wirecat.endpoints.tls_options import TlsOptions
from wirecat.endpoints.tls_stream import HANDSHAKE_TIME
from wirecat.endpoints.tls_stream import TlsStream as TlsStream
from wirecat.endpoints.tls_versions import oldest_version
from wirecat.errors import TlsError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address
    from wirecat.endpoints.tls_handshake import TlsHandshake
    from wirecat.stream import Stream


def open_stream(address: Address, deadline: Deadline) -> TlsStream:
    """Connect and shake hands. The server's certificate is verified unless the address says ``verify=no``.

    Raises what TCP raises, and TlsError, CertificateError.
    """
    options = TlsOptions.of(address)
    context = client_context(
        verify=options.verify, check_names=not options.common_names, ca=options.ca, cert=options.cert, key=options.key,
        alpn=options.alpn, ciphers=options.ciphers, minimum=options.minimum,
    )  # fmt: skip
    try:
        return TlsStream.connect(
            tcp.open_stream(address, deadline), context, options.server_name, deadline,
            common_names=options.common_names, allow_truncation=bool(options.truncation),
        )  # fmt: skip
    except TlsError as error:
        from wirecat.endpoints.tls_probe import explain

        def again(patience: Deadline) -> Stream:
            return tcp.open_stream(address, patience)

        explained = explain(error, again, options.server_name, oldest_version(options.minimum), context)
        if explained is error:
            raise
        raise explained from error


def open_listener(address: Address, backlog: int) -> TlsListener:
    """Listen. Without ``cert`` clients are shown an ephemeral certificate, made once it listens.

    Raises ListenError, UnknownHost, and UsageError for a certificate that cannot be used.
    """
    options = TlsOptions.of(address)

    def make() -> ssl.SSLContext:
        return server_context(
            cert=options.cert, key=options.key, ca=options.ca, alpn=options.alpn, ciphers=options.ciphers,
            minimum=options.minimum,
        )  # fmt: skip

    if not options.cert and (options.ca or options.alpn or options.ciphers):  # the context is made later
        check_server_options(ca=options.ca, alpn=options.alpn, ciphers=options.ciphers, minimum=options.minimum)
    context: ssl.SSLContext | Callable[[], ssl.SSLContext] = make() if options.cert else make
    return TlsListener(tcp.open_listener(address, backlog), context, allow_truncation=options.truncation is not False)


class TlsListener(Listener):
    """A listener whose streams speak TLS, over any listener that gives streams of bytes, which it takes over.

    Streams from ``accept`` and ``open`` do their handshake at their first use, or by ``TlsStream.handshake``, in at most
    ``handshake_time`` seconds. A server does the handshakes itself (``wirecat.server.handshakes``) and calls ``secured``.
    ``context`` may be a function that makes it; it is called once, by ``prepare`` in the background, else for the first
    client.
    """

    __slots__ = ("_below", "_context", "_failure", "_making", "_prepared", "allow_truncation", "handshake_time")

    def __init__(
        self,
        below: Listener,
        context: ssl.SSLContext | Callable[[], ssl.SSLContext],
        *,
        scheme: str = "tls",
        allow_truncation: bool = True,
        handshake_time: float = HANDSHAKE_TIME,
    ) -> None:
        super().__init__(below.release(), below.unlink, scheme)
        self._below = below
        self._context = context
        self._failure: WirecatError | None = None
        self._making = _thread.allocate_lock()
        self.allow_truncation = allow_truncation
        self.handshake_time = handshake_time
        self._prepared = not callable(context)

    def context(self) -> ssl.SSLContext:
        """The context, made now if it is not yet. Raises UsageError where it cannot be made."""
        with self._making:
            if self._failure is not None:
                raise self._failure
            if callable(self._context):
                try:
                    self._context = self._context()
                except WirecatError as error:
                    self._failure = error
                    raise
            return self._context

    def prepare(self) -> None:
        """Make the context in the background, if it is not made yet: to be called when there is nothing better to do.

        (Not as soon as it listens: the thread would slow down whoever is about to say so.)
        """
        if not self._prepared:
            self._prepared = True
            _thread.start_new_thread(self._make_ready, ())

    def accept(self, timeout: float | None = None) -> Stream:
        """See Listener; what the first client will need is made ready meanwhile."""
        self.prepare()
        return super().accept(timeout)

    def _make_ready(self) -> None:
        try:
            self.context()
        except WirecatError:
            return  # it is kept, and told to whoever needs the context

    def secured(self, accepted: socket.socket, peer: Any, handshake: TlsHandshake) -> TlsStream:
        """The stream over what accept(2) gave, with a handshake that is complete."""
        return TlsStream.secured(self._below.open(accepted, peer), handshake, allow_truncation=self.allow_truncation)

    def open(self, accepted: socket.socket, peer: Any) -> Stream:
        """See Listener."""
        return TlsStream(
            self._below.open(accepted, peer), self.context, server_side=True, allow_truncation=self.allow_truncation,
            deadline=Deadline(self.handshake_time),
        )  # fmt: skip
