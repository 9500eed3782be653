"""Tests of the help text."""

from __future__ import annotations

from wirecat.cli.ncat.help import help_text
from wirecat.cli.ncat.options import OPTIONS


def test_each_option_has_its_line() -> None:
    text = help_text()
    for option in OPTIONS:
        assert (option.help in text) is not option.hidden, option.name
    assert "  -p, --source-port <port>   Specify source port to use\n" in text
    assert "      --broker               Enable Ncat's connection brokering mode\n" in text
