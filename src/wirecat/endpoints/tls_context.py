"""What TLS is spoken with: contexts for the client's and for the server's side, from files and names."""

from __future__ import annotations

import os

from wirecat.endpoints.tls_versions import set_versions
from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence


def client_context(
    *,
    verify: bool = True,
    check_names: bool = True,
    ca: str = "",
    cert: str = "",
    key: str = "",
    alpn: Sequence[str] = (),
    ciphers: str = "",
    minimum: str = "",
) -> ssl.SSLContext:
    """A context for connecting. Raises UsageError for a file that is no use, and for unknown ciphers.

    With ``verify`` the server's certificate has to be signed by somebody trusted: by one of those in ``ca`` (a file
    or a folder), else by one of the system's; with ``check_names`` it has to be for the server's name as well, by the
    rules of RFC 6125. ``cert`` and ``key`` are for servers that want to know the client (``key`` may stand in the
    same file). ``ciphers`` is a list for OpenSSL, for TLS 1.2 and older. ``minimum`` is the oldest version to speak (see
    ``tls_versions``); empty is TLS 1.2.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify and check_names
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if verify and ca:
        _load_authorities(context, ca)
        # Whoever names a certificate trusts it, also if it is the server's own and no authority's.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    elif verify:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    _set_up(context, alpn, ciphers, minimum)
    if cert:
        _load_certificate(context, cert, key)
    return context


def server_context(
    *, cert: str = "", key: str = "", ca: str = "", alpn: Sequence[str] = (), ciphers: str = "", minimum: str = ""
) -> ssl.SSLContext:
    """A context for listening. Raises UsageError for a file that is no use, and for unknown ciphers.

    Without ``cert`` it gets an ephemeral self-signed certificate. With ``ca`` (a file or a folder) clients have to
    show a certificate that one of those there has signed.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_up(context, alpn, ciphers, minimum)
    if ca:
        context.verify_mode = ssl.CERT_REQUIRED
        _load_authorities(context, ca)
    if cert:
        _load_certificate(context, cert, key)
    else:
        from wirecat.endpoints.certificate import ephemeral_certificate

        ephemeral_certificate().load_into(context)
    return context


def check_server_options(*, ca: str, alpn: Sequence[str], ciphers: str, minimum: str) -> None:
    """Raise UsageError for options that ``server_context`` would refuse, before a certificate is made."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _set_up(context, alpn, ciphers, minimum)
    if ca:
        _load_authorities(context, ca)


def _set_up(context: ssl.SSLContext, alpn: Sequence[str], ciphers: str, minimum: str) -> None:
    """What comes before certificates: whether a key is strong enough depends on the security level in ``ciphers``."""
    import ssl

    # Without renegotiation a write never has to wait for a read, so that each direction can have a thread of its own.
    context.options |= ssl.OP_NO_RENEGOTIATION
    if alpn:
        require_protocols(alpn)
        context.set_alpn_protocols(list(alpn))
    set_versions(context, ciphers, minimum)


def require_protocols(alpn: Sequence[str]) -> None:
    """Raise UsageError for names that ALPN cannot carry (RFC 7301 section 3.1: 1 to 255 bytes)."""
    for name in alpn:
        if not 0 < len(name) < 256 or not name.isascii():
            raise UsageError(f"{name!r} is no protocol's name", step="ALPN", hint="Write alpn=h2,http/1.1.")


def _load_authorities(context: ssl.SSLContext, ca: str) -> None:
    import ssl

    try:
        if os.path.isdir(ca):
            context.load_verify_locations(capath=ca)
        else:
            context.load_verify_locations(cafile=ca)
    except ssl.SSLError:
        raise UsageError("there is no certificate in it (PEM)", address=ca, step="certificates to trust") from None
    except OSError as error:
        raise _unreadable(error, ca, "certificates to trust") from error


def _load_certificate(context: ssl.SSLContext, cert: str, key: str) -> None:
    import ssl

    def no_password() -> str:
        # OpenSSL would ask on the terminal, in the middle of a conversation.
        raise UsageError("it is encrypted", address=key or cert, step="key", hint="Decrypt it first: openssl pkey.")

    try:
        context.load_cert_chain(cert, key or None, no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"it is not that of the certificate {cert}", address=key or cert, step="key") from None
        what = cert if not key else f"{cert} and {key}"
        raise UsageError("no certificate with its key (PEM) is there", address=what, step="certificate") from None
    except OSError as error:
        missing = key if key and os.path.exists(cert) else cert
        raise _unreadable(error, missing, "certificate" if missing == cert else "key") from error


def _unreadable(error: OSError, path: str, step: str) -> UsageError:
    return UsageError(error.strerror or str(error), address=path, step=step, errno=error.errno)
