"""DTLS: TLS over UDP, connecting and listening, by pyOpenSSL (the extra ``[dtls]``)."""

from __future__ import annotations

from wirecat.endpoints import udp
from wirecat.endpoints.dtls_context import DtlsContext
from wirecat.endpoints.dtls_stream import DtlsStream
from wirecat.endpoints.idle import LISTENER_IDLE, idle_of
from wirecat.endpoints.tls_options import TlsOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.dtls_listener import DtlsListener


def open_stream(address: Address, deadline: Deadline) -> DtlsStream:
    """Open a socket and shake hands. The server's certificate is verified unless the address says ``verify=no``.

    Raises what UDP raises, and TlsError, CertificateError, NoAnswer, and UsageError where pyOpenSSL is missing.
    """
    options = TlsOptions.of(address)
    context = DtlsContext(
        server_side=False, verify=options.verify, common_names=options.common_names, ca=options.ca, cert=options.cert,
        key=options.key, alpn=options.alpn, ciphers=options.ciphers, minimum=options.minimum,
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
    from wirecat.endpoints.dtls_listener import DtlsListener

    options = TlsOptions.of(address)
    context = DtlsContext(
        server_side=True, ca=options.ca, cert=options.cert, key=options.key, alpn=options.alpn, ciphers=options.ciphers,
        minimum=options.minimum,
    )  # fmt: skip
    idle = idle_of(address, LISTENER_IDLE)
    return DtlsListener(udp.bind_datagrams(address), backlog, context, idle=idle)
