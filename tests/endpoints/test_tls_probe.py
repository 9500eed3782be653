"""What a server offers that refused our ClientHello: asked by a second one."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

import wirecat
from background import PATIENCE
from openssl_peers import make_certificate, openssl_server
from plain_peers import free_port, serving
from wirecat.address import Address
from wirecat.endpoints import open_stream
from wirecat.endpoints.tls_probe import explain
from wirecat.errors import TlsError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("rsa"))


def test_server_with_other_ciphers_is_told_with_the_cipher_it_takes(certificate: Path) -> None:
    with openssl_server(certificate, "-tls1_2", "-cipher", "AES128-SHA") as port:
        address = f"tls://127.0.0.1:{port}?verify=no"
        with pytest.raises(TlsError, match=r"no common cipher suite: the peer takes AES128-SHA\. .*ciphers=AES128-SHA"):
            wirecat.connect(address, timeout=PATIENCE)
        with wirecat.connect(f"{address}&ciphers=AES128-SHA", timeout=PATIENCE) as connection:
            assert connection.stream.tls.cipher == "AES128-SHA"  # type: ignore[attr-defined]


ALERT = bytes.fromhex("15 0303 0002 02 28")  # handshake_failure
OTHER = TlsError("refused", reason="TLSV1_ALERT_UNKNOWN_CA")
OFFERED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
REFUSED = TlsError("refused", reason="SSLV3_ALERT_HANDSHAKE_FAILURE")


@pytest.mark.parametrize(
    "answer", [b"", ALERT, b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes.fromhex("16 0303 0004 02 000000")]
)
def test_an_answer_without_a_server_hello_changes_nothing(answer: bytes) -> None:
    with serving(lambda connection: (connection.recv(4096), connection.sendall(answer))) as server:
        place = Address("tcp", "127.0.0.1", server.port)
        assert explain(REFUSED, lambda patience: open_stream(place, patience), "localhost", 0x303, OFFERED) is REFUSED


def test_a_server_that_has_gone_changes_nothing() -> None:
    place = Address("tcp", "127.0.0.1", free_port())
    assert explain(REFUSED, lambda patience: open_stream(place, patience), "", 0x303, OFFERED) is REFUSED


def test_another_reason_is_not_asked_about() -> None:
    def open_nothing(patience: object) -> None:
        raise AssertionError("it connects again")

    assert explain(OTHER, open_nothing, "localhost", 0x303, OFFERED) is OTHER  # type: ignore[arg-type]


def test_a_server_that_refuses_for_another_reason_is_not_said_to_lack_a_cipher(certificate: Path) -> None:
    """With TLS 1.2 a server that wants a certificate says no more than handshake_failure."""
    with openssl_server(certificate, "-tls1_2", "-Verify", "1") as port:
        with pytest.raises(TlsError) as caught:
            wirecat.connect(f"tls://127.0.0.1:{port}?verify=no", timeout=PATIENCE).receive()
    assert "the peer takes" not in str(caught.value)
    assert "versions" not in str(caught.value)
