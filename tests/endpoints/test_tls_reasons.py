"""OpenSSL's reasons in words, and what the first record of a peer shows."""

from __future__ import annotations

import pytest

from wirecat.endpoints.tls_reasons import in_words, offered_version, server_choice


@pytest.mark.parametrize(
    "first", [b"", b"\x15", b"\x15\x03\x03\x00\x02\x02\x46", b"\x16\x03\x01\x00\x04\x02\x00", b"HTTP"]
)
def test_bytes_without_a_hello_name_no_version(first: bytes) -> None:
    assert offered_version(first) == 0
    assert server_choice(first) == (0, 0)


def test_reasons_are_compared_as_a_whole() -> None:
    assert in_words("TLSV1_ALERT_INTERNAL_ERROR", "")[0] == "the peer refuses: internal error"
    assert in_words("NO_SHARED_CIPHER_OR_SO", "")[0] == "TLS failed: no shared cipher or so"
    assert in_words("", "what there is")[0] == "TLS failed: what there is"
    # OpenSSL 3.0 and 3.5 begin an alert's name differently.
    for alert in ("SSLV3_ALERT_HANDSHAKE_FAILURE", "SSL/TLS_ALERT_HANDSHAKE_FAILURE", "TLS_ALERT_HANDSHAKE_FAILURE"):
        assert in_words(alert, "")[0].startswith("the peer found nothing in common")
