"""DTLS: TLS over UDP, connecting and listening, by pyOpenSSL (the extra ``[dtls]``)."""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.endpoints import udp
from wirecat.endpoints.dtls_context import DtlsContext
from wirecat.endpoints.dtls_stream import HANDSHAKE_TIME, DtlsStream
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.tls_options import TlsOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.endpoints.datagram_listener import DatagramListener


def open_stream(address: Address, deadline: Deadline) -> DtlsStream:
    """Open a socket and shake hands. The server's certificate is verified unless the address says ``verify=no``.

    Raises what UDP raises, and TlsError, CertificateError, NoAnswer, and UsageError where pyOpenSSL is missing.
    """
    options = TlsOptions.of(address)
    context = DtlsContext(
        server_side=False, verify=options.verify, common_names=options.common_names, ca=options.ca, cert=options.cert,
        key=options.key, alpn=options.alpn, ciphers=options.ciphers,
    )  # fmt: skip
    stream = DtlsStream(
        udp.open_stream(address.replace(scheme="udp"), deadline),
        context,
        server_name=options.server_name,
        deadline=deadline,
    )
    try:
        stream.handshake()
    except BaseException:
        stream.close()
        raise
    return stream


def open_listener(address: Address, backlog: int) -> DtlsListener:
    """Bind the address. Without ``cert`` clients are shown an ephemeral certificate.

    Raises ListenError, UnknownHost, and UsageError for a certificate that cannot be used, or where pyOpenSSL is
    missing.
    """
    options = TlsOptions.of(address)
    context = DtlsContext(
        server_side=True, ca=options.ca, cert=options.cert, key=options.key, alpn=options.alpn, ciphers=options.ciphers
    )
    return DtlsListener(udp.open_listener(address, backlog), context)


class DtlsListener(Listener):
    """A listener for datagrams whose streams speak DTLS; they shake hands at their first use."""

    __slots__ = ("_below", "_context", "handshake_time")

    datagrams = True

    def __init__(
        self, below: DatagramListener, context: DtlsContext, *, handshake_time: float = HANDSHAKE_TIME
    ) -> None:
        super().__init__(below.sockets, scheme="dtls")
        self._below = below
        self._context = context
        self.handshake_time = handshake_time

    def accept(self, timeout: float | None = None) -> DtlsStream:
        """See Listener: the stream of a new peer."""
        return DtlsStream(
            self._below.accept(timeout), self._context, server_side=True, deadline=Deadline(self.handshake_time)
        )

    def close(self) -> None:
        """Let no new peers in; streams that were given out go on. Closing twice is nothing."""
        self._below.close()
