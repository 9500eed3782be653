"""The page about addresses names every scheme and every option that there is."""

from __future__ import annotations

import re

from peers import PROJECT
from wirecat.endpoints import SCHEMES

PAGE = (PROJECT / "docs" / "addresses.md").read_text(encoding="utf-8")


def test_every_scheme_is_there() -> None:
    table = PAGE.partition("| --- |")[2].partition("\n\n")[0]
    for name in SCHEMES:
        assert re.search({"tcp": "`tcp://`", "stdio": "`-`"}.get(name, rf"`{name}:"), table), name


def test_every_option_is_there() -> None:
    options = {option for row in SCHEMES.values() for option in row.options}
    for option in options:
        assert re.search(rf"^\| .*`{option}`.* \||`{option}` is|`{option}=", PAGE, re.MULTILINE), option


def test_no_row_is_without_help() -> None:
    for row in SCHEMES.values():
        assert row.help
        assert row.example
        assert all(row.options.values())
