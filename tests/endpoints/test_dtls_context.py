"""What DTLS is spoken with. Trust and files are tried out in test_dtls.py; here what needs no network."""

from __future__ import annotations

import pytest

pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")

from wirecat.address import Address
from wirecat.endpoints.certificate import ephemeral_certificate
from wirecat.endpoints.dtls_context import DtlsContext
from wirecat.endpoints.tls_facts import TlsFacts
from wirecat.errors import CertificateError

PEER = Address("udp", "192.0.2.7", 1)


def facts(certificate: bytes) -> TlsFacts:
    return TlsFacts(version="", cipher="", alpn="", server_name="", certificate=certificate)


def test_names_are_compared_where_the_peer_is_verified() -> None:
    der = ephemeral_certificate().der
    verifying = DtlsContext(server_side=False)
    for name in ("localhost", "127.0.0.1", "::1"):
        verifying.check_name(facts(der), PEER, name)
    for certificate in (der, b"", b"nonsense"):
        with pytest.raises(CertificateError, match=r"not for 'example\.org'") as caught:
            verifying.check_name(facts(certificate), PEER, "example.org")
        assert caught.value.names_differ
        DtlsContext(server_side=False, verify=False).check_name(facts(certificate), PEER, "example.org")


@pytest.mark.parametrize(
    ("name", "sent"), [("localhost", True), ("127.0.0.1", False), ("::1", False), ("xn--mller-kva.example", True)]
)
def test_a_name_is_sent_but_an_address_is_not(name: str, sent: bool) -> None:
    engine = DtlsContext(server_side=False, verify=False).engine(False, name, "x")
    engine.shake()
    hello = b"".join(engine.take_out())
    wanted = name.encode("ascii")
    assert (wanted in hello) == sent
