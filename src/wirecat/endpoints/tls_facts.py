"""What a TLS handshake has agreed on, and whom it has shown: plain facts for people and programs."""

from __future__ import annotations

from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

    from wirecat.address import Address
    from wirecat.wire.x509_names import CertificateNames


class TlsFacts(Immutable):
    """``version`` (``TLSv1.3``), ``cipher`` (OpenSSL's name), ``alpn`` (the protocol chosen, or empty),
    ``server_name`` (the name that a client asked for), ``certificate`` (the peer's, as DER; empty where it showed
    none).

    The certificate is known whether it was verified or not.
    """

    __slots__ = ("alpn", "certificate", "cipher", "server_name", "version")

    version: str
    cipher: str
    alpn: str
    server_name: str
    certificate: bytes

    def __init__(self, **fields: object) -> None:
        self._set(**fields)

    @property
    def sha1(self) -> str:
        """The certificate's SHA-1 fingerprint: 40 upper-case hex digits, or nothing. (To be recognised by, no more.)"""
        return self._digest("sha1")

    @property
    def sha256(self) -> str:
        """The certificate's SHA-256 fingerprint: 64 upper-case hex digits, or nothing."""
        return self._digest("sha256")

    def _digest(self, name: str) -> str:
        import hashlib

        if not self.certificate:
            return ""
        return hashlib.new(name, self.certificate, usedforsecurity=False).hexdigest().upper()

    @property
    def names(self) -> CertificateNames | None:
        """The names in the peer's certificate; None where it showed none, or one that cannot be read."""
        from wirecat.wire.x509_names import read_names

        try:
            return read_names(self.certificate) if self.certificate else None
        except ValueError:
            return None

    @property
    def organisation(self) -> str:
        """The organisation in the subject of the peer's certificate; empty where there is none."""
        names = self.names
        return "" if names is None else names.organisation


def facts_of(tls: ssl.SSLObject, server_name: str) -> TlsFacts:
    """The facts of a handshake that is done."""
    cipher = tls.cipher()
    return TlsFacts(
        version=tls.version() or "", cipher=cipher[0] if cipher else "", alpn=tls.selected_alpn_protocol() or "",
        server_name=server_name, certificate=tls.getpeercert(True) or b"",
    )  # fmt: skip


def require_name(facts: TlsFacts, peer: Address, server_name: str) -> None:
    """Raise CertificateError unless the certificate is for ``server_name``; its common name counts as well."""
    from wirecat.endpoints import tls_failures
    from wirecat.wire.certificate_match import matches_host

    names = facts.names
    if names is None or not matches_host(names, server_name):
        there = () if names is None else (*names.dns_names, *names.ip_addresses, *names.common_names)
        reason = "Certificate verification error"
        raise tls_failures.other_name(peer, server_name, reason, tuple(dict.fromkeys(there)))
