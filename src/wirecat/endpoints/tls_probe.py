"""What a server would agree on that refused our ClientHello: asked once more, with all versions and ciphers offered.

A server that has no version or cipher in common answers with an alert that names neither (RFC 8446 section 6.2). So a
second connection offers all that this OpenSSL has, and the ServerHello tells what the server has. Nothing is sent
behind the ClientHello.
"""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.endpoints.tls_failures import STEP
from wirecat.endpoints.tls_reasons import alert_name, only_version, server_choice
from wirecat.endpoints.tls_versions import set_versions
from wirecat.errors import TlsError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from typing import Any

    from wirecat.stream import Stream

#: The alerts of which that holds.
AMBIGUOUS = ("PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "INSUFFICIENT_SECURITY")
_SECONDS = 2.0
_LONGEST = 4096  # bytes of an answer; a ServerHello has some 100


def explain(
    error: TlsError,
    open_stream: Callable[[Deadline], Stream],
    server_name: str,
    oldest: int,
    offered: ssl.SSLContext,
) -> TlsError:
    """The error to raise for ``error``, with what the server offers where it can be found out; else ``error`` itself.

    ``oldest`` is the oldest version that was offered, as on the wire, and ``offered`` the context that has the ciphers. A
    server that takes one of both has refused for another reason, a missing certificate of the client for example.
    """
    if alert_name(error.reason) not in AMBIGUOUS:
        return error
    try:
        version, cipher = server_choice(_ask(open_stream, server_name))
    except WirecatError:
        return error  # it takes no second connection
    if version and version < oldest:
        message, hint = only_version(version)
    elif cipher and cipher not in {_number(each) for each in offered.get_ciphers()}:
        name = _cipher_name(cipher)
        message = f"no common cipher suite: the peer takes {name}"
        hint = f"To allow it: ciphers={name}."
    else:
        return error
    return TlsError(message, reason=error.reason, address=error.address, step=STEP, hint=hint)


def _ask(open_stream: Callable[[Deadline], Stream], server_name: str) -> bytes:
    """The server's answer to a ClientHello that offers everything. Raises WirecatError."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    set_versions(context, "ALL:@SECLEVEL=0", "1.0")
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name or None)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass  # the ClientHello is there
    stream = open_stream(Deadline(_SECONDS))
    try:
        stream.set_timeout(_SECONDS)
        stream.send(outgoing.read())
        answer = b""
        while len(answer) < _LONGEST and (piece := stream.receive(_LONGEST)):
            answer += piece
            if len(answer) >= 5 and len(answer) >= 5 + int.from_bytes(answer[3:5], "big"):  # a whole record
                break
        return answer
    finally:
        stream.abort()
        stream.close()


def _number(cipher: Mapping[str, Any]) -> int:
    """The number of a cipher suite on the wire, of one that ``SSLContext.get_ciphers`` tells."""
    return int(cipher["id"]) & 0xFFFF


def _cipher_name(number: int) -> str:
    """OpenSSL's name of a cipher suite; its number where OpenSSL does not have it."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    for cipher in context.get_ciphers():
        if _number(cipher) == number:
            return str(cipher["name"])
    return f"0x{number:04X}"
