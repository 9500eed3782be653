"""Contexts for TLS; what their files do to a connection is in test_tls.py."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from certificates import Authority
from certificates import authority as authority
from wirecat.endpoints.tls_context import client_context, server_context
from wirecat.errors import UsageError


def test_a_client_verifies_unless_it_is_told_not_to() -> None:
    for context, verifies, checks in (
        (client_context(), True, True),
        (client_context(check_names=False), True, False),
        (client_context(verify=False), False, False),
    ):
        assert (context.verify_mode == ssl.CERT_REQUIRED) == verifies
        assert context.check_hostname == checks


def test_the_systems_authorities_are_there_only_where_they_are_wanted(authority: Authority) -> None:
    assert client_context(verify=False).get_ca_certs() == []
    own = client_context(ca=str(authority.path)).get_ca_certs()
    assert [dict(part[0] for part in each["subject"])["commonName"] for each in own] == ["an authority"]


@pytest.mark.parametrize("context", [client_context(verify=False), server_context()], ids=["client", "server"])
def test_nobody_renegotiates_and_nobody_speaks_old_versions(context: ssl.SSLContext) -> None:
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_server_asks_clients_for_certificates_where_it_knows_an_authority(authority: Authority) -> None:
    assert server_context().verify_mode == ssl.CERT_NONE
    assert server_context(ca=str(authority.path)).verify_mode == ssl.CERT_REQUIRED


def test_an_encrypted_key_is_told_and_not_asked_for(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal."""
    from cryptography.hazmat.primitives import serialization

    secret = authority.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    key = tmp_path / "encrypted.pem"
    key.write_bytes(secret)
    for make in (server_context, client_context):
        with pytest.raises(UsageError, match=r"encrypted\.pem: it is encrypted.*openssl pkey"):
            make(cert=str(authority.path), key=str(key))
