"""What is told of a handshake."""

from __future__ import annotations

import hashlib

from wirecat.endpoints.certificate import ephemeral_certificate
from wirecat.endpoints.tls_facts import TlsFacts


def facts(certificate: bytes) -> TlsFacts:
    return TlsFacts(version="TLSv1.3", cipher="x", alpn="", server_name="localhost", certificate=certificate)


def test_fingerprints_and_names() -> None:
    der = ephemeral_certificate().der
    told = facts(der)
    assert told.sha1 == hashlib.sha1(der).hexdigest().upper()
    assert told.sha256 == hashlib.sha256(der).hexdigest().upper()
    assert told.names is not None
    assert told.names.common_names == ("localhost",)
    assert told.organisation == ""


def test_a_peer_without_a_certificate_or_with_nonsense() -> None:
    for certificate in (b"", b"nonsense"):
        told = facts(certificate)
        assert told.names is None
        assert told.organisation == ""
    assert facts(b"").sha1 == facts(b"").sha256 == ""
    assert facts(b"nonsense").sha1
