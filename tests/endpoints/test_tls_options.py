"""What an address says about TLS."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.endpoints.tls_options import TlsOptions
from wirecat.errors import AddressError


def of(text: str) -> TlsOptions:
    return TlsOptions.of(Address.parse(text))


def test_what_holds_where_nothing_is_said() -> None:
    options = of("tls://host:1")
    assert options.verify
    assert not options.common_names
    assert options.truncation is None
    assert (options.ca, options.cert, options.key, options.ciphers, options.alpn) == ("", "", "", "", ())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tls://Host.example:1", "Host.example"),
        ("tls://host.example.:1", "host.example"),
        ("tls://1", "localhost"),
        ("tls://:1", "localhost"),
        ("tls://[fe80::1%eth0]:1", "fe80::1"),
        ("tls://127.0.0.1:1", "127.0.0.1"),
        ("tls://host:1?servername=other", "other"),
    ],
)
def test_the_name_that_the_server_has_to_have(text: str, name: str) -> None:
    assert of(text).server_name == name


def test_what_can_be_said() -> None:
    options = of("tls://host:1?verify=no&names=common&truncation=allow&alpn=h2,,x&cert=c&key=k&ca=a&ciphers=l")
    assert not options.verify
    assert options.common_names
    assert options.truncation is True
    assert options.alpn == ("h2", "x")
    assert (options.ca, options.cert, options.key, options.ciphers) == ("a", "c", "k", "l")
    assert of("tls://1?truncation=error").truncation is False


@pytest.mark.parametrize("said", ["verify=maybe", "names=cn", "truncation=no", "key=k"])
def test_what_cannot(said: str) -> None:
    with pytest.raises(AddressError) as caught:
        of(f"tls://1?{said}")
    assert caught.value.hint
