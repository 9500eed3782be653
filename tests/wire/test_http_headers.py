"""Header fields: names without regard to case, nothing that could begin a line, and what is for one hop alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import HttpError, UsageError
from wirecat.wire.framing import ReceiveBuffer
from wirecat.wire.http_headers import HOP_BY_HOP, Headers, is_field_value, is_token
from wirecat.wire.http_reader import FieldReader

tokens = some.text("aZ09!#$%&'*+-.^_`|~", min_size=1, max_size=12)
values = some.text(some.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30).map(
    lambda text: text.strip(" ")
)


@given(some.lists(some.tuples(tokens, values), max_size=10))
def test_what_is_written_is_read_again(fields: list[tuple[str, str]]) -> None:
    headers = Headers(fields)
    buffer = ReceiveBuffer()
    buffer.feed(headers.to_bytes() + b"\r\n")
    assert FieldReader().read(buffer) == headers
    assert list(headers) == fields
    assert len(buffer) == 0


@given(some.text(max_size=8), some.text(max_size=12))
def test_no_field_can_hold_more_than_itself(name: str, value: str) -> None:
    try:
        line = Headers([(name, value)]).to_bytes()
    except UsageError:
        return
    assert line.count(b"\r\n") == 1
    assert line.endswith(b"\r\n")
    assert not set(line[:-2]) & {*range(9), *range(10, 32), 127}
    assert line.split(b":")[0].decode() == name


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é", "a\0", "(a)", "a\t"])
def test_names_that_are_none(name: str) -> None:
    assert not is_token(name)
    with pytest.raises(UsageError, match="cannot be the name"):
        Headers().add(name, "x")


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\n", "\ra", "a\0b", "\x7f", "\x1b[2J", "€"])
def test_values_that_are_none(value: str) -> None:
    assert not is_field_value(value)
    with pytest.raises(UsageError, match="cannot be the value"):
        Headers().set("Name", value)


def test_names_have_no_case() -> None:
    headers = Headers([("Accept", "a"), ("ACCEPT", " b\t"), ("Host", "h")])
    assert headers.get("accept") == "a"
    assert headers.get_all("aCCept") == ["a", "b"]
    assert "HOST" in headers
    assert "nothing" not in headers
    assert headers.get("nothing") is None
    assert len(headers) == 3
    headers.set("HOST", "other")
    headers.remove(["ACCEPT"])
    assert list(headers) == [("HOST", "other")]


def test_one_value_or_none() -> None:
    headers = Headers([("A", "1"), ("B", "1"), ("b", "1")])
    assert headers.single("a") == "1"
    assert headers.single("c") is None
    with pytest.raises(HttpError, match="more than one b field") as raised:
        headers.single("b")
    assert raised.value.status == 400


def test_lists_are_put_together() -> None:
    headers = Headers([("Connection", "close, X-A ,,"), ("connection", ""), ("CONNECTION", "Keep-Alive")])
    assert headers.tokens("connection") == ["close", "x-a", "keep-alive"]
    assert headers.tokens("te") == []


def test_what_is_for_one_hop_is_not_passed_on() -> None:
    """RFC 9110 section 7.6.1: the fields that Connection names, and those that have always been so."""
    passed = [("Accept", "*/*"), ("Cookie", "a=b"), ("X-Other", "1")]
    hop = [(name.title(), "x") for name in sorted(HOP_BY_HOP - {"connection"})]
    named = [("X-Mine", "1"), ("x-mine", "2"), ("X-Second", "3")]
    connection = [("Connection", "X-MINE, close"), ("connection", "x-second,")]
    headers = Headers([*hop, passed[0], *named, passed[1], *connection, passed[2]])
    assert list(headers.end_to_end()) == passed
    assert len(headers) == len([*hop, *passed, *named, *connection])  # the original stays
    assert {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"} <= HOP_BY_HOP
    assert {"transfer-encoding", "upgrade", "proxy-connection"} <= HOP_BY_HOP


def test_a_copy_is_another() -> None:
    headers = Headers([("A", "1")])
    other = headers.copy()
    other.add("B", "2")
    assert (len(headers), len(other)) == (1, 2)
    assert headers != other
    assert headers == Headers([("A", "1")])
    assert headers != [("A", "1")]
    with pytest.raises(TypeError):
        hash(headers)
    assert repr(headers) == "Headers([('A', '1')])"


def test_it_can_be_changed_while_it_is_gone_through() -> None:
    headers = Headers([("A", "1"), ("B", "2")])
    for name, _ in headers:
        headers.remove([name])
    assert len(headers) == 0
