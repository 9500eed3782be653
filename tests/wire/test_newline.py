"""Newlines on what is sent: the same translation wherever the stream was cut."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import UsageError
from wirecat.wire.newline import NEWLINES, NewlineTranslator

streams = some.lists(some.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"\xff"]), max_size=25).map(b"".join)
cuts = some.lists(some.integers(0, 60), max_size=12)


def translate(newline: str, *pieces: bytes) -> bytes:
    translator = NewlineTranslator(newline)
    return b"".join(translator.feed(piece) for piece in pieces) + translator.finish()


@given(some.sampled_from(sorted(NEWLINES)), streams, cuts)
def test_the_same_wherever_it_is_cut(newline: str, stream: bytes, places: list[int]) -> None:
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    pieces = [stream[first:last] for first, last in zip(edges, edges[1:], strict=False)]
    assert translate(newline, *pieces) == translate(newline, stream)
    assert translate(newline, *(stream[place : place + 1] for place in range(len(stream)))) == translate(
        newline, stream
    )


@given(streams)
def test_crlf_puts_a_cr_before_each_lf_that_has_none(stream: bytes) -> None:
    assert translate("crlf", stream) == re.sub(rb"(?<!\r)\n", b"\r\n", stream)


@given(streams, cuts)
def test_crlf_leaves_what_is_crlf_already(stream: bytes, places: list[int]) -> None:
    once = translate("crlf", stream)
    edges = [0, *sorted(min(place, len(once)) for place in places), len(once)]
    pieces = [once[first:last] for first, last in zip(edges, edges[1:], strict=False)]
    assert translate("crlf", *pieces) == once


@given(streams)
def test_none_drops_each_lf_and_the_cr_before_it(stream: bytes) -> None:
    assert translate("none", stream) == re.sub(rb"\r?\n", b"", stream)


@given(streams)
def test_lf_changes_nothing(stream: bytes) -> None:
    assert translate("lf", stream) == stream


def test_only_none_holds_anything_back() -> None:
    """A CR that is typed goes out at once where it may."""
    assert NewlineTranslator("crlf").feed(b"a\r") == b"a\r"
    assert NewlineTranslator("lf").feed(b"a\r") == b"a\r"
    translator = NewlineTranslator("none")
    assert translator.feed(b"a\r") == b"a"
    assert translator.feed(b"") == b""
    assert translator.feed(b"b") == b"\rb"
    assert translator.feed(b"\r") == b""
    assert translator.finish() == b"\r"
    assert translator.finish() == b""


def test_an_unknown_newline_is_told() -> None:
    with pytest.raises(UsageError, match=r"unknown newline 'cr'.*crlf"):
        NewlineTranslator("cr")
