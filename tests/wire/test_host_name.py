"""Host names in ASCII: UTS 46 with the package idna, and without it only names on which all standards agree."""

from __future__ import annotations

import sys

import pytest

from wirecat.errors import AddressError, UsageError
from wirecat.wire.host_name import dns_name


@pytest.fixture
def without_idna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)


# The non-transitional results of UTS 46 (its section 7 and table of deviations), as curl and browsers have them.
UTS46 = [
    ("straße.test", "xn--strae-oqa.test"),
    ("faß.de", "xn--fa-hia.de"),
    ("βόλος.com", "xn--nxasmm1c.com"),
    ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),
    ("ẞ.de", "xn--zca.de"),
    ("ﬁ.test", "fi.test"),
    ("１２.test", "12.test"),
]
AGREED = [
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.Example", "xn--bcher-kva.example"),
    ("ΟΔΟΣ.gr", "xn--pxavbq.gr"),
    ("日本語.jp", "xn--wgv71a119e.jp"),
    ("한국.kr", "xn--3e0b707e.kr"),
    ("ä\u3002test", "xn--4ca.test"),
    ("ä.test.", "xn--4ca.test."),
    ("_srv.ä.test", "_srv.xn--4ca.test"),
    ("\u212aa.test", "ka.test"),  # the Kelvin sign
]


@pytest.mark.parametrize(("name", "encoded"), UTS46 + AGREED, ids=ascii)
def test_international_name_is_encoded_by_uts_46(name: str, encoded: str) -> None:
    assert dns_name(name).lower() == encoded


@pytest.mark.usefixtures("without_idna")
@pytest.mark.parametrize(("name", "encoded"), AGREED, ids=ascii)
def test_without_idna_a_name_that_all_standards_agree_on_is_encoded(name: str, encoded: str) -> None:
    assert dns_name(name).lower() == encoded


@pytest.mark.usefixtures("without_idna")
@pytest.mark.parametrize("name", [name for name, _ in UTS46], ids=ascii)
def test_without_idna_a_name_that_needs_it_is_refused_with_the_hint(name: str) -> None:
    with pytest.raises(UsageError, match=r"needs the package idna .*pip install 'wirecat\[idna\]'") as caught:
        dns_name(name)
    assert not isinstance(caught.value, AddressError)


@pytest.mark.parametrize(
    "character", [chr(code) for code in (0x115F, 0x17B4, 0x2615, 0xAD, 0xB7, 0x10A0, 0x2163)], ids=ascii
)
def test_without_idna_no_name_is_encoded_otherwise_than_with_it(
    character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (f"a{character}b", f"{character}a"):
        results = []
        for hidden in (False, True):
            with monkeypatch.context() as patch:
                if hidden:
                    patch.setitem(sys.modules, "idna", None)
                try:
                    results.append(dns_name(name))
                except UsageError:
                    results.append("")
        assert results[1] in ("", results[0])


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", ".a", "a b", "a\0b", "a/b", "a@b", "ä..b", "\ud800", "\udcff", "\u3002a"], ids=ascii
)
def test_impossible_name_is_an_address_error_with_and_without_idna(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        with pytest.raises(AddressError, match="cannot be a host's name: "):
            dns_name(name)
        monkeypatch.setitem(sys.modules, "idna", None)


@pytest.mark.parametrize("name", ["a" * 64, "ü" * 80 + ".test", ".".join(["a" * 63] * 4)], ids=len)
def test_name_longer_than_dns_allows_is_an_address_error(name: str) -> None:
    with pytest.raises(AddressError, match="cannot be a host's name: "):
        dns_name(name)


@pytest.mark.parametrize("name", ["a" * 63, "localhost.", "my_host", "xn--strae-oqa.test", "127.1", "-a"])
def test_ascii_name_stays_as_it_is(name: str) -> None:
    assert dns_name(name) == name
