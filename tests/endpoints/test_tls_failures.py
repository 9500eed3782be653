"""OpenSSL's words turned into ours. Those of a real handshake are in test_tls.py."""

from __future__ import annotations

import ssl

import pytest

from wirecat.address import Address
from wirecat.endpoints.tls_failures import (
    broken_tls,
    certificate_failure,
    handshake_failure,
    in_words,
    looks_like_tls,
    no_handshake,
    not_tls,
    other_name,
    truncated,
)
from wirecat.errors import CertificateError, ConnectionBroken, NoAnswer, TlsError

PEER = Address("tcp", "192.0.2.7", 443)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "wants a certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not trust our certificate"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "our certificate has expired"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "versions of TLS"),
        ("UNSUPPORTED_PROTOCOL", "versions of TLS"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "nothing in common"),
        ("TLSV1_ALERT_DECODE_ERROR", "the peer refuses: decode error"),
        ("NO_SHARED_CIPHER", "no common cipher suite"),
        ("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "none of the protocols"),
        ("TLSV1_UNRECOGNIZED_NAME", "does not go by that name"),
        ("SOMETHING_NEW", "TLS failed: something new"),
        ("", "TLS failed: what there is to say"),
    ],
)
def test_reasons_in_words(reason: str, message: str) -> None:
    assert message in in_words(reason, "what there is to say")[0]


def made(kind: type[ssl.SSLError] = ssl.SSLError, **fields: object) -> ssl.SSLError:
    error = kind(1, "what OpenSSL says")
    for name, value in fields.items():
        setattr(error, name, value)
    return error


def test_a_certificate_that_is_refused() -> None:
    for code, message in (
        (18, "self-signed"), (19, "signed by nobody"), (20, "signed by nobody"), (21, "signed by nobody"),
        (10, "expired"), (9, "not valid yet"), (62, "not for"), (64, "not for"), (26, "not accepted: unsuitable purpose"),
    ):  # fmt: skip
        reason = "unsuitable purpose"
        error = made(ssl.SSLCertVerificationError, verify_code=code, verify_message=reason)
        told = handshake_failure(error, PEER, "example.org", b"\x16\x03\x03")
        assert isinstance(told, CertificateError)
        assert message in str(told)
        assert told.reason == reason
        assert told.names_differ == (code in (62, 64))
        assert str(certificate_failure(code, reason, PEER, "example.org")) == str(told)


def test_what_is_no_tls() -> None:
    assert isinstance(handshake_failure(made(), PEER, "", b"HTTP/1.1 400"), TlsError)
    assert "does not speak TLS" in str(handshake_failure(made(), PEER, "", b"HTTP/1.1 400"))
    assert str(not_tls(PEER, b"HTTP/1.1 400 Bad\r\nx")).endswith("It says: 'HTTP/1.1 400 Bad'")
    assert str(not_tls(PEER, bytes(range(256)))).isprintable()
    for first, is_tls in (
        (b"\x16\x03\x01", True),
        (b"\x15\x03", True),
        (b"\x16", True),
        (b"\x16\x00", False),
        (b"S", False),
    ):
        assert looks_like_tls(first) == is_tls


def test_who_is_to_blame_for_silence() -> None:
    """A client that stalls is a client that broke off; a server that stalls gives no answer."""
    assert isinstance(no_handshake(PEER, 3, True), TlsError)
    assert isinstance(no_handshake(PEER, 3, False), NoAnswer)
    assert "no TLS handshake in 3 s" in str(no_handshake(PEER, 3, False))
    assert "no TLS handshake." in str(no_handshake(PEER, None, False))


def test_what_breaks_later() -> None:
    told = broken_tls(made(reason="TLSV13_ALERT_CERTIFICATE_REQUIRED"), PEER)
    assert isinstance(told, ConnectionBroken)
    assert "wants a certificate" in str(told)
    assert "close_notify" in str(truncated(PEER))


def test_other_names_are_told_up_to_a_point() -> None:
    told = str(other_name(PEER, "a", "r", tuple("bcdefgh")))
    assert "not for 'a' but for b, c, d, e. " in told
