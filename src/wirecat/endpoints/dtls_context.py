"""What DTLS is spoken with: certificates, trust and cookies, by pyOpenSSL (the extra ``[dtls]``)."""

from __future__ import annotations

import os

from wirecat.endpoints import tls_failures
from wirecat.endpoints.dtls_engine import DtlsEngine
from wirecat.endpoints.tls_context import require_protocols
from wirecat.endpoints.tls_facts import TlsFacts
from wirecat.endpoints.tls_versions import SYSTEM, ciphers_for
from wirecat.errors import TlsError, UsageError
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wirecat.address import Address

_COOKIE_SECRET = 32  # bytes
_DTLS_1_0, _DTLS_1_2 = 0xFEFF, 0xFEFD  # as on the wire (RFC 6347 section 4.1)


class DtlsContext:
    """A context for one side. Raises UsageError where pyOpenSSL is missing, and for files that are no use.

    ``verify``, ``ca``, ``cert``, ``key``, ``alpn`` and ``ciphers`` are as for TLS. ``minimum`` is too; 1.0 and 1.1 are
    DTLS 1.0, as DTLS has no 1.1. ``common_names`` lets a
    certificate's common name count as well. A server without ``cert`` has an ephemeral certificate; it asks a client
    for a cookie before it spends anything on it, so that nobody can make it shower others (RFC 6347 section 4.2.1).
    """

    def __init__(
        self,
        *,
        server_side: bool,
        verify: bool = True,
        common_names: bool = False,
        ca: str = "",
        cert: str = "",
        key: str = "",
        alpn: Sequence[str] = (),
        ciphers: str = "",
        minimum: str = "",
    ) -> None:
        self._ssl = _require_pyopenssl()
        SSL = self._ssl
        self._common_names = common_names
        self._verify = bool(ca) if server_side else verify
        self._context: Any = SSL.Context(SSL.DTLS_SERVER_METHOD if server_side else SSL.DTLS_CLIENT_METHOD)
        self._set_versions(ciphers_for(ciphers, minimum), minimum)
        if self._verify:
            self._trust(ca)
        if cert:
            self._load(cert, key)
        elif server_side:
            from wirecat.endpoints.certificate import ephemeral_certificate

            with ephemeral_certificate().as_file() as path:
                self._load(path, path)
        if server_side:
            self._ask_for_cookies()
        if alpn:
            require_protocols(alpn)
            self._offer(list(alpn), server_side)

    def _set_versions(self, ciphers: str, minimum: str) -> None:
        SSL = self._ssl
        if minimum == "1.3":
            raise UsageError("OpenSSL has no DTLS 1.3", step="DTLS", hint="Write min=1.2.")
        if minimum != SYSTEM:
            self._context.set_min_proto_version(_DTLS_1_0 if minimum in ("1.0", "1.1") else _DTLS_1_2)
        if ciphers:
            try:
                self._context.set_cipher_list(ciphers.encode())
            except (SSL.Error, UnicodeEncodeError):
                raise UsageError(f"OpenSSL knows no cipher of {ciphers!r}", step="DTLS") from None

    def _trust(self, ca: str) -> None:
        SSL = self._ssl
        required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        self._context.set_verify(required, _note_error)
        try:
            if not ca:
                self._context.set_default_verify_paths()
            elif os.path.isdir(ca):
                self._context.load_verify_locations(None, ca)
            else:
                self._context.load_verify_locations(ca)
        except SSL.Error:
            reason = "there is no certificate in it (PEM)" if os.path.exists(ca) else "there is no such file"
            raise UsageError(reason, address=ca, step="certificates to trust") from None

    def _load(self, cert: str, key: str) -> None:
        SSL = self._ssl

        try:
            _require_plain(key or cert)
            self._context.use_certificate_chain_file(cert)
            self._context.use_privatekey_file(key or cert)
            self._context.check_privatekey()
        except UsageError:
            raise
        except (SSL.Error, OSError):
            missing = [path for path in (cert, key) if path and not os.path.exists(path)]
            reason = "there is no such file" if missing else "no certificate with its key (PEM) is there"
            raise UsageError(reason, address=missing[0] if missing else cert, step="certificate") from None

    def _ask_for_cookies(self) -> None:
        SSL = self._ssl
        secret = os.urandom(_COOKIE_SECRET)

        def cookie(connection: Any) -> bytes:
            import hmac

            return hmac.digest(secret, connection.get_app_data()["peer"].encode(), "sha256")

        def right(connection: Any, given: bytes) -> bool:
            import hmac

            return hmac.compare_digest(cookie(connection), given)

        self._context.set_options(SSL.OP_COOKIE_EXCHANGE)
        self._context.set_cookie_generate_callback(cookie)
        self._context.set_cookie_verify_callback(right)

    def _offer(self, protocols: list[str], server_side: bool) -> None:
        offered = [each.encode("ascii") for each in protocols]

        def choose(connection: Any, wanted: list[bytes]) -> Any:
            return next((each for each in offered if each in wanted), self._ssl.NO_OVERLAPPING_PROTOCOLS)

        if server_side:
            self._context.set_alpn_select_callback(choose)
        else:
            self._context.set_alpn_protos(offered)

    def engine(self, server_side: bool, server_name: str, peer: str) -> DtlsEngine:
        """A new association with ``peer``."""
        numeric = ":" in server_name or server_name.replace(".", "").isdigit()
        engine = DtlsEngine(self._context, server_side, "" if numeric else server_name)
        self.set_peer(engine, peer)
        return engine

    def set_peer(self, engine: DtlsEngine, peer: str) -> None:
        """Say for whom ``engine`` makes and verifies cookies."""
        engine.object.set_app_data({"peer": peer, "error": 0})

    def facts(self, engine: DtlsEngine, server_name: str) -> TlsFacts:
        """What was agreed on."""
        from OpenSSL import crypto

        connection = engine.object
        certificate = connection.get_peer_certificate()
        return TlsFacts(
            version=connection.get_protocol_version_name(),
            cipher=connection.get_cipher_name() or "",
            alpn=connection.get_alpn_proto_negotiated().decode("ascii", "replace"),
            server_name=server_name,
            certificate=b"" if certificate is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate),
        )

    def check_name(self, facts: TlsFacts, peer: Address, server_name: str) -> None:
        """Raise CertificateError where the peer's certificate is to be verified and is another's."""
        from wirecat.wire.certificate_match import matches_host

        names = facts.names
        if self._verify and (names is None or not matches_host(names, server_name, common_names=self._common_names)):
            there = () if names is None else (*names.dns_names, *names.ip_addresses)
            raise tls_failures.other_name(peer, server_name, "Certificate verification error", there)

    def failure(self, engine: DtlsEngine, error: Exception, peer: Address, server_name: str) -> TlsError:
        """The error to raise for one of OpenSSL's."""
        code = engine.object.get_app_data()["error"]
        if code:
            return tls_failures.certificate_failure(code, f"OpenSSL's error {code}", peer, server_name)
        reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
        reason = str(reasons[-1][-1]) if reasons else str(error)
        message, hint = tls_failures.in_words(reason.upper().replace(" ", "_"), reason)
        return TlsError(printable(message), reason=reason, address=peer, step="DTLS with", hint=hint)


def _require_plain(key: str) -> None:
    """OpenSSL would ask for the password on the terminal, in the middle of a conversation."""
    with open(key, "rb") as file:  # noqa: PTH123  a path as the user wrote it
        if b"ENCRYPTED" in file.read(1 << 20):
            raise UsageError("it is encrypted", address=key, step="key", hint="Decrypt it first: openssl pkey.")


def _note_error(connection: Any, certificate: object, code: int, depth: int, right: int) -> bool:
    """OpenSSL's verdict on a certificate: kept for the message, and followed."""
    if not right:
        connection.get_app_data()["error"] = code
    return bool(right)


def _require_pyopenssl() -> Any:
    try:
        from OpenSSL import SSL
    except ImportError as error:
        raise UsageError("DTLS needs the package pyOpenSSL", hint="Install it: pip install 'wirecat[dtls]'.") from error
    return SSL
