"""Whether a certificate is for a host, by the wider rules."""

from __future__ import annotations

import pytest

from wirecat.wire.certificate_match import matches_host
from wirecat.wire.x509_names import CertificateNames


def names(*dns: str, cn: tuple[str, ...] = (), ip: tuple[str, ...] = ()) -> CertificateNames:
    return CertificateNames(subject=tuple(("CN", each) for each in cn), dns_names=dns, ip_addresses=ip)


@pytest.mark.parametrize(
    ("certificate", "host"),
    [
        (names("localhost"), "localhost"),
        (names("LocalHost"), "localhost"),
        (names("localhost."), "localhost"),
        (names("localhost"), "localhost."),
        (names("other", cn=("localhost",)), "localhost"),
        (names(cn=("first", "localhost")), "localhost"),
        (names("*.example.org"), "www.example.org"),
        (names("*.example.org"), "WWW.Example.Org"),
        (names(cn=("*.example.org",)), "www.example.org"),
        (names("xn--mller-kva.example"), "müller.example"),
        (names("müller.example"), "xn--mller-kva.example"),
        (names(ip=("127.0.0.1",)), "127.0.0.1"),
        (names(ip=("0:0:0:0:0:0:0:1",)), "::1"),
        (names(ip=("fe80:0:0:0:0:0:0:1",)), "fe80::1%eth0"),
        (names(cn=("127.0.0.1",)), "127.0.0.1"),
    ],
)
def test_it_is_for_that_host(certificate: CertificateNames, host: str) -> None:
    assert matches_host(certificate, host)


@pytest.mark.parametrize(
    ("certificate", "host"),
    [
        (names(), "localhost"),
        (names("localhost"), "localhost.example.org"),
        (names("localhost"), ""),
        (names(""), ""),
        (names("*"), "localhost"),
        (names("*.org"), "example.org"),
        (names("*."), "a."),
        (names("*.."), "a.."),
        (names("*.example..org"), "a.example..org"),
        (names("*.example.org"), "example.org"),
        (names("*.example.org"), ".example.org"),
        (names("*.example.org"), "a.b.example.org"),
        (names("*.*.org"), "a.b.org"),
        (names("w*.example.org"), "www.example.org"),
        (names("www.*.org"), "www.example.org"),
        (names("localhost\0.example.org"), "localhost"),
        (names("localhost\0"), "localhost\0"),
        (names("127.0.0.1"), "127.0.0.1"),
        (names("*.0.0.1"), "127.0.0.1"),
        (names(ip=("127.0.0.1",)), "127.0.0.2"),
        (names(ip=("127.0.0.1",)), "localhost"),
        (names("a" * 70 + "ü"), "localhost"),
    ],
)
def test_it_is_not_for_that_host(certificate: CertificateNames, host: str) -> None:
    assert not matches_host(certificate, host)


def test_common_names_can_be_left_out() -> None:
    certificate = names("one.example", cn=("two.example", "127.0.0.1"), ip=("127.0.0.2",))
    for host, among_alternatives in (("one.example", True), ("two.example", False), ("127.0.0.1", False)):
        assert matches_host(certificate, host)
        assert matches_host(certificate, host, common_names=False) == among_alternatives
    assert matches_host(certificate, "127.0.0.2", common_names=False)
    assert matches_host(names(cn=("two.example",)), "two.example", common_names=False), "it has no others"
