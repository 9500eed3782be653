"""Documents as JSON text: ASCII, and readable for parsers that refuse lone surrogates."""

from __future__ import annotations

import json

import pytest

from wirecat.views.json_text import json_text


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        ("\x1b[2J\x9b\u202e", "\x1b[2J\x9b\u202e"),
        ("\U0001f600", "\U0001f600"),
        ("/tmp/\udcff", "/tmp/\\xff"),
        ("\U0001f600\udcff", "\U0001f600\\xff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_json_text_any_string_is_ascii_and_has_no_lone_surrogate(value: str, read: str) -> None:
    text = json_text({value: [value, {"inner": (value, 1, None)}]})
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == {read: [read, {"inner": [read, 1, None]}]}
    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")


def test_json_text_indent_is_kept() -> None:
    assert json_text({"a": "\udcff"}, indent=1) == '{\n "a": "\\\\xff"\n}'
