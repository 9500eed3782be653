"""Attributes of netlink, read and written."""

from __future__ import annotations

from wirecat.wire.netlink import (
    NESTED,
    attribute,
    attributes,
    backwards,
    big32,
    fields,
    native32,
    string,
    text,
    without,
)


def test_what_is_read_is_written_unchanged() -> None:
    data = attribute(1, b"abc") + attribute(2 | NESTED, attribute(7, b"")) + attribute(1, b"defgh")
    assert b"".join(attribute(*each) for each in attributes(data)) == data
    assert fields(data) == {1: b"defgh", 2: attribute(7, b"")}
    assert fields(without(data, frozenset((1,)))) == {2: attribute(7, b"")}


def test_attributes_backwards() -> None:
    data = attribute(1, b"abc") + attribute(2 | NESTED, attribute(7, b"")) + attribute(3, b"defgh")
    assert list(attributes(backwards(data))) == list(attributes(data))[::-1]
    assert backwards(b"\1\0\1\0") == backwards(b"") == b""


def test_attribute_that_does_not_fit_ends_the_list() -> None:
    assert list(attributes(attribute(1, b"abcd")[:-1])) == []
    assert list(attributes(b"\1\0\1\0")) == []
    assert list(attributes(b"\1")) == []


def test_values() -> None:
    assert text(string("eth0")) == text(b"eth0") == "eth0"
    assert big32(b"\0\0\1\2") == 258
    assert (native32(b""), native32((7).to_bytes(4, "little")) in (7, 7 << 24)) == (0, True)
