"""Reply templates: only {data} is replaced, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.template import Template


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("{data}", b"\xff\n"),
        ("You told me: {data}", b"You told me: \xff\n"),
        ("{data}{data}", b"\xff\n\xff\n"),
        ("no place", b"no place"),
        ("", b""),
        ("{} {0} {{data}} {Data} {data", b"{} {0} {\xff\n} {Data} {data"),
        ("%s \\n ${data}", b"%s \\n $\xff\n"),
        ("größe {data}", "größe ".encode() + b"\xff\n"),
        ("\udcff{data}", b"\xff\xff\n"),
    ],
)
def test_what_is_replaced(text: str, reply: bytes) -> None:
    assert Template(text).render(b"\xff\n") == reply


@given(some.binary(), some.text(some.characters(codec="utf-8")))
def test_the_data_is_not_looked_at(data: bytes, text: str) -> None:
    before, place, after = text.partition("{data}")
    if not place:
        assert Template(before + "{data}" + after).render(data) == before.encode() + data + after.encode()
    assert Template("<{data}>").render(b"{data}") == b"<{data}>"


def test_it_shows_its_text() -> None:
    assert repr(Template("a{data}")) == "Template('a{data}')"
    assert Template("a").text == "a"
