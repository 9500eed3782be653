"""Nothing that a peer sends moves a terminal's cursor, and nothing that can be read is hidden."""

from __future__ import annotations

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.printable import Printable, printable

#: Control, format (bidirectional marks, zero width, …), surrogate, line separator, paragraph separator.
DANGEROUS = {"Cc", "Cf", "Cs", "Zl", "Zp"}

#: Reserved for more of them, and partly assigned in a later Unicode than this Python's.
RESERVED = {0x2065, *range(0x13439, 0x13440), *range(0xE0000, 0xE0080)}

texts = some.text(some.characters(codec="utf-8"))
streams = some.one_of(
    some.binary(),
    texts.map(str.encode),
    some.lists(
        some.sampled_from(
            [b"\r", b"\n", b"\r\n", b"\x1b[2J", b"\xc3", b"\xbc", b"\xe2\x82", b"\xac", b"\xf0\x9f", b"\x98\x80", b"a"]
        )
    ).map(b"".join),
)
cuts = some.lists(some.integers(0, 60), max_size=12)


def shown(*pieces: bytes) -> str:
    terminal = Printable()
    return "".join(terminal.feed(piece) for piece in pieces) + terminal.finish()


def pieces_of(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[first:last] for first, last in zip(edges, edges[1:], strict=False)]


def is_safe(text: str, kept: str = "\n\t") -> bool:
    return all(letter in kept or unicodedata.category(letter) not in DANGEROUS for letter in text)


@given(streams, cuts)
def test_whatever_comes_is_safe_and_the_same_wherever_it_is_cut(stream: bytes, places: list[int]) -> None:
    text = shown(stream)
    assert is_safe(text)
    assert shown(*pieces_of(stream, places)) == text
    assert shown(*(stream[place : place + 1] for place in range(len(stream)))) == text
    text.encode()  # a terminal gets UTF-8


@given(some.one_of(streams, some.text(some.characters())))
def test_a_whole_text_is_safe_and_on_one_line(data: bytes | str) -> None:
    line = printable(data)
    assert is_safe(line, kept="")
    line.encode()


def test_every_dangerous_character_of_this_python_is_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter) in DANGEROUS:
            assert is_safe(printable(letter), kept=""), f"U+{code:04X} {unicodedata.name(letter, '')}"


def test_every_other_character_is_left() -> None:
    """Private use and not yet assigned ones too: a font may have them, and a Python is older than its peers."""
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.category(letter) not in DANGEROUS and code not in RESERVED:
            assert printable(letter) == letter, f"U+{code:04X}"


@given(texts.filter(str.isprintable), cuts)
def test_what_is_printable_is_unchanged(text: str, places: list[int]) -> None:
    assert shown(*pieces_of(text.encode(), places)) == text
    assert printable(text) == text


@pytest.mark.parametrize("text", ["Grüße", "日本語", "naïve café", "Привет", "x\u00a0y", "😀 ok", "e\u0301"])
def test_text_split_at_every_byte_comes_out_whole(text: str) -> None:
    data = text.encode()
    for place in range(len(data) + 1):
        assert shown(data[:place], data[place:]) == text
    terminal = Printable()
    assert "".join(terminal.feed(bytes([byte])) for byte in data) == text, "no byte waits for the end"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\nb\tc\n", "a\nb\tc\n"),
        (b"a\r\nb", "a\nb"),
        (b"a\rb", "a\\x0db"),
        (b"a\r", "a\\x0d"),
        (b"\r\r\n", "\\x0d\n"),
        (b"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        (b"\x00\x07\x08\x7f", "\\x00\\x07\\x08\\x7f"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"\xc3", "\\xc3"),
        (b"\xc3x", "\\xc3x"),
        (b"\xe0\x80\x80", "\\xe0\\x80\\x80"),  # an overlong form
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),  # a surrogate in UTF-8
        (b"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"),  # above U+10FFFF
        ("\u0085".encode(), "\\x85"),
        ("a\u202eb".encode(), "a\\u202eb"),
        ("\u2066x\u2069".encode(), "\\u2066x\\u2069"),
        ("\ufeffx".encode(), "\\ufeffx"),
        ("\U000e0041".encode(), "\\U000e0041"),
        (b"", ""),
    ],
)
def test_what_is_shown(data: bytes, text: str) -> None:
    assert shown(data) == text


def test_a_lone_cr_waits_for_its_line_feed_but_not_for_ever() -> None:
    terminal = Printable()
    assert terminal.feed(b"50%\r") == "50%"
    assert terminal.feed(b"\n") == "\n"
    assert terminal.feed(b"60%\r") == "60%"
    assert terminal.finish() == "\\x0d"
    assert terminal.finish() == ""


def test_one_line() -> None:
    assert printable(b"a\r\n\tb\n") == "a\\r\\n\\tb\\n"
    assert printable("\ud800") == "\\ud800"
    assert printable(b"\xff") == "\\xff"


def test_much_text_is_fast() -> None:
    terminal = Printable()
    data = b"plain text, a line of it\n" * 40_000
    started = time.process_time()
    assert len(terminal.feed(data)) == len(data)
    assert time.process_time() - started < 2  # 0.05 s
