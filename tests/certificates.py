"""Certificates for tests: an authority, and servers' and clients' certificates of every kind.

They are made when first asked for, by `cryptography`, which comes with pyOpenSSL; a test that asks for one is skipped
where it is missing.
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import pytest

ORGANISATION = "Example Org"


class Authority:
    """One that signs certificates; `path` is the file to trust. Each certificate is a file with its key in it."""

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("cryptography")
        from cryptography.hazmat.primitives.asymmetric import ec

        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / "authority.pem"
        self.name = _name("an authority", ORGANISATION)
        self.path.write_bytes(_pem(_build(self.name, self.name, self.key, self.key, [], 0, 30, authority=True)))

    def sign(
        self,
        *names: str,
        common_name: str = "",
        organisation: str = ORGANISATION,
        self_signed: bool = False,
        begins: int = -1,
        ends: int = 30,
    ) -> Path:
        """A certificate for hosts and addresses, valid from and until so many days from now."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name or (names[0] if names else "nobody"), organisation)
        issuer, signing = (subject, key) if self_signed else (self.name, self.key)
        certificate = _build(subject, issuer, key, signing, list(names), begins, ends)
        path = self.folder / f"{len(list(self.folder.iterdir()))}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + _pem(certificate))
        path.chmod(0o600)
        return path


def certificate_alone(path: Path) -> str:
    """The certificate of a file without its key."""
    return "-----BEGIN CERTIFICATE-----" + path.read_text().partition("-----BEGIN CERTIFICATE-----")[2]


def _name(common_name: str, organisation: str):
    from cryptography import x509

    parts = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]
    if organisation:
        parts.append(x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _pem(certificate) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _build(subject, issuer, key, signing, names: list[str], begins: int, ends: int, authority: bool = False):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begins) - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if authority:
        builder = builder.add_extension(_key_usage(), critical=True)
    else:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if names:
        alternatives = [_alternative(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signing, hashes.SHA256())


def _alternative(name: str):
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage():
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of all tests of a run."""
    return Authority(tmp_path_factory.mktemp("certificates"))
