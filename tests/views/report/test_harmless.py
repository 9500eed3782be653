"""A peer's bytes as text: nothing that a browser, an XML parser or a reader's eye could take for something else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.views.report.harmless import fitted, harmless, shortened, width


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"Hallo", "Hallo"),
        ("Grüße, 漢字, שלום".encode(), "Grüße, 漢字, שלום"),
        (b"\x1b[2J\r\n\0", "\\x1b[2J\\r\\n\\x00"),
        (b"\xff\xc3", "\\xff\\xc3"),
        ("\u202eevil\u2066".encode(), "\\u202eevil\\u2066"),
        ("\ufffe\uffff".encode(), "\\ufffe\\uffff"),
        ("a" + "\u0301" * 4, "a\u0301\u0301\\u0301\\u0301"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_it_shows(data: bytes | str, shown: str) -> None:
    assert harmless(data) == shown


@given(st.binary(max_size=300), st.integers(2, 60))
def test_whatever_comes_it_fits_and_is_printable(data: bytes, cells: int) -> None:
    text = harmless(data, cells)
    assert width(text) <= cells
    assert text.isprintable() or any(unicodedata.category(each) in ("Mn", "Me") for each in text)
    for each in text:
        assert unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn")


@given(st.text(max_size=100))
def test_texts_of_the_program_are_no_different(text: str) -> None:
    assert harmless(text).encode().decode() == harmless(text)


def test_wide_characters_take_two_columns_and_accents_none() -> None:
    assert width("漢字") == 4
    assert width("e\u0301") == 1
    assert fitted("漢字漢字", 5) == "漢字…"
    assert fitted("short", 5) == "short"
    assert fitted("longer", 5) == "long…"


@given(st.text(max_size=80), st.integers(4, 40))
def test_an_address_is_cut_in_its_middle(text: str, cells: int) -> None:
    text = harmless(text)
    cut = shortened(text, cells)
    assert width(cut) <= cells
    assert cut == text or "…" in cut


def test_a_port_is_always_seen() -> None:
    assert shortened("[2001:db8:1234:5678:9abc:def0:1234:5678]:50000", 20).endswith("]:50000")
