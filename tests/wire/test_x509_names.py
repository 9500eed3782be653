"""Names in a certificate: known ones, OpenSSL's reading of them as an oracle, and garbage."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.x509_names import CertificateNames, name_text, read_names

#: Made with `openssl req -x509`: CN=localhost alone, and all kinds of names.
PLAIN = base64.b64decode(
    "MIIBfDCCASOgAwIBAgIUKSs/pk9AfYYnwA7FrEFZGiRp88kwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyMjE4"
    "MzMxNloXDTI2MTEyMzE4MzMxNlowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3nWWrKCweVsBCIGV"
    "QRhm0qru4OIRfErNU5GU+PUWWSuimsVp7jDduasZo3DxLQYhPzczmzTBjEPZx5gPNEFUgqNTMFEwHQYDVR0OBBYEFLmhKSHxZHrWg2C6jNHT"
    "QZeaeI4XMB8GA1UdIwQYMBaAFLmhKSHxZHrWg2C6jNHTQZeaeI4XMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgER+uLOTi"
    "fLrTv3dJxz1ocMGJp7ubsrN3bF8xB2nePs0CIEVZK6yqRMaMkYyaWtbt/HMu5NMazXfBZjpjZ3MXN6Lz"
)


def test_a_plain_certificate() -> None:
    assert read_names(PLAIN) == CertificateNames(
        subject=(("CN", "localhost"),),
        issuer=(("CN", "localhost"),),
        dns_names=(),
        ip_addresses=(),
        not_before="2026-11-22 18:33:16",
        not_after="2026-11-23 18:33:16",
    )
    names = read_names(PLAIN)
    assert names.common_names == ("localhost",)
    assert names.organisation == ""
    assert names.self_issued


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A certificate with every kind of name, of an issuer that is another."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True, cwd=folder, timeout=60)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8")
    run("req", "-x509", *key, "-subj", "/C=DE/O=Größe & Co/CN=an issuer", "-keyout", "i.key", "-out", "i.pem")
    subject = "/C=DE/ST=Bayern/L=München/O=Example Org/OU=One/OU=Two/CN=first/CN=second/roleOccupant=odd"
    run("req", "-new", *key, "-subj", f"{subject}/emailAddress=a@b.example", "-keyout", "s.key", "-out", "s.csr")
    (folder / "ext").write_text(
        "basicConstraints=critical,CA:FALSE\n"
        "subjectAltName=critical,DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:2001:db8::1,email:a@b.example,URI:x:y\n"
    )
    signing = ("-CA", "i.pem", "-CAkey", "i.key", "-CAcreateserial", "-days", "40000", "-extfile", "ext")
    run("x509", "-req", "-in", "s.csr", *signing, "-out", "s.pem")
    return ssl.PEM_cert_to_DER_cert(Path(folder / "s.pem").read_text())


def test_every_kind_of_name(rich: bytes) -> None:
    names = read_names(rich)
    assert name_text(names.issuer) == "C=DE, O=Größe & Co, CN=an issuer"
    assert names.subject == (
        ("C", "DE"), ("ST", "Bayern"), ("L", "München"), ("O", "Example Org"), ("OU", "One"), ("OU", "Two"),
        ("CN", "first"), ("CN", "second"), ("2.5.4.33", "odd"), ("emailAddress", "a@b.example"),
    )  # fmt: skip
    assert names.common_names == ("first", "second")
    assert names.organisation == "Example Org"
    assert not names.self_issued
    assert names.dns_names == ("localhost", "*.example.org")
    assert names.ip_addresses == ("127.0.0.1", "2001:db8:0:0:0:0:0:1")
    # From 2050 on a date has another form (RFC 5280 section 4.1.2.5).
    assert names.not_before < "2050" < names.not_after


def test_it_is_what_openssl_reads(rich: bytes, tmp_path: Path) -> None:
    """Python shows OpenSSL's reading of a certificate in a file."""
    for number, der in enumerate((PLAIN, rich)):
        path = tmp_path / f"{number}.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(der))
        theirs = ssl._ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]
        ours = read_names(der)
        assert [value for part in theirs["subject"] for _, value in part] == [value for _, value in ours.subject]
        assert [value for part in theirs["issuer"] for _, value in part] == [value for _, value in ours.issuer]
        alternative = theirs.get("subjectAltName", ())
        assert [value for kind, value in alternative if kind == "DNS"] == list(ours.dns_names)
        addresses = [value.lower() for kind, value in alternative if kind == "IP Address"]
        assert addresses == list(ours.ip_addresses)
        for date, said in ((ours.not_before, theirs["notBefore"]), (ours.not_after, theirs["notAfter"])):
            assert said.split()[2:] == [date.split()[1], date[:4], "GMT"]


@pytest.mark.parametrize("which", ["plain", "rich"])
def test_cut_anywhere_it_is_no_certificate(which: str, request: pytest.FixtureRequest) -> None:
    der = PLAIN if which == "plain" else request.getfixturevalue("rich")
    for end in range(len(der)):
        with pytest.raises(ValueError, match="no certificate"):
            read_names(der[:end])
    with pytest.raises(ValueError, match="behind it"):
        read_names(der + b"\x05\x00")


@given(some.binary(max_size=200))
def test_garbage_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        read_names(data)


@given(some.integers(0, len(PLAIN) - 1), some.integers(0, 255))
def test_a_damaged_one_is_read_or_refused(place: int, byte: int) -> None:
    damaged = bytearray(PLAIN)
    damaged[place] = byte
    try:
        assert isinstance(read_names(bytes(damaged)), CertificateNames)
    except ValueError as error:
        assert str(error).startswith("no certificate: ")


@given(some.lists(some.tuples(some.integers(0, len(PLAIN) - 1), some.integers(0, 255)), max_size=8))
def test_one_damaged_in_many_places_is_read_or_refused(places: list[tuple[int, int]]) -> None:
    damaged = bytearray(PLAIN)
    for place, byte in places:
        damaged[place] = byte
    try:
        assert isinstance(read_names(bytes(damaged)), CertificateNames)
    except ValueError as error:
        assert str(error).startswith("no certificate: ")


def test_a_length_that_lies_is_refused() -> None:
    liars = (b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x00\x00", b"\x30\x85\x00\x00\x00\x00\x01x", b"\x1f\x81\x01\x00")
    for liar in liars:
        with pytest.raises(ValueError, match="no certificate"):
            read_names(liar)
