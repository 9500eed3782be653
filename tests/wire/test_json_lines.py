"""Messages as lines of JSON: whole however the pieces are cut, and what is none is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wirecat.errors import LineTooLong
from wirecat.wire.json_lines import MessageReader, encode_message

#: Text as a path or a peer may have it: lone surrogates stand for bytes that are no UTF-8.
TEXT = st.text(st.characters(codec=None), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MESSAGES = st.lists(st.dictionaries(TEXT, VALUES, max_size=3), max_size=4)


@settings(max_examples=40, deadline=None)
@given(MESSAGES, st.data())
def test_what_went_in_comes_out_however_it_is_cut(messages: list[dict[str, Any]], data: st.DataObject) -> None:
    stream = b"".join(map(encode_message, messages))
    reader, found, place = MessageReader(), [], 0
    while place < len(stream):
        size = data.draw(st.integers(1, len(stream) - place))
        found += list(reader.feed(stream[place : place + size]))
        place += size
    assert found == messages


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_of_anybody_give_objects_or_a_value_error(data: bytes) -> None:
    reader = MessageReader()
    try:
        for message in reader.feed(data + b"\n"):
            assert isinstance(message, dict)
    except ValueError:
        return


@settings(max_examples=40, deadline=None)
@given(MESSAGES)
def test_a_message_is_one_line_of_ascii(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        line = encode_message(message)
        assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
        assert json.loads(line) == message


def test_what_stands_before_a_fault_is_given() -> None:
    messages = MessageReader().feed(b'{"a":1}\nnonsense\n')
    assert next(messages) == {"a": 1}
    with pytest.raises(ValueError, match="no message"):
        next(messages)


@pytest.mark.parametrize("line", [b"[]", b"1", b'"text"', b"null", b"", b"{", b'{"a":1', b"\xff", b"[" * 100_000])
def test_a_line_that_is_no_object(line: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        list(MessageReader().feed(line + b"\n"))


def test_a_line_without_end_is_not_kept_for_ever() -> None:
    reader = MessageReader(longest=10)
    assert list(reader.feed(b'{"a":1}\n')) == [{"a": 1}]
    with pytest.raises(LineTooLong):
        list(reader.feed(b"x" * 11))


def test_what_json_has_not() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode_message({"a": float("nan")})
