"""The parsers of the verbs: addresses in one word or two, seconds, help with its examples, one-line errors."""

from __future__ import annotations

import argparse
import io

import pytest

from wirecat.cli.environment import Environment
from wirecat.cli.parsing import Parser, _wrapped, add_address, joined_address, make_parser, parse, seconds, whole
from wirecat.errors import UsageError


def parser(default: str | None = None) -> Parser:
    made = make_parser("connect", "Connects.", [("wirecat connect 1", "one"), ("wirecat connect 1234", "two")])
    add_address(made, "where to", default)
    made.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="seconds")
    made.add_argument("--once", action="store_true")
    return made


def parsed(*arguments: str, default: str | None = None) -> argparse.Namespace:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    return parse(parser(default), list(arguments), environment)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2.0), ("0.5", 0.5), ("500ms", 0.5), ("2s", 2.0), ("1m", 60.0), ("1h", 3600.0), ("1.5h", 5400.0), ("0", 0.0)],
)
def test_seconds(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "s", "ms", "x", "-1", "nan", "inf", "1e999", "1 2", "-1s", "1d", "0x10", "nanms"])
def test_what_is_no_seconds(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="seconds"):
        seconds(text)


def test_whole_numbers() -> None:
    assert whole("12") == 12
    for text in ("1.5", "", "x", "1e3"):
        with pytest.raises(argparse.ArgumentTypeError, match="no whole number"):
            whole(text)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["12345"], "12345"),
        (["host:1"], "host:1"),
        (["host", "1"], "host:1"),
        (["127.0.0.1", "1"], "127.0.0.1:1"),
        (["::1", "1"], "[::1]:1"),
        (["[::1]", "1"], "[::1]:1"),
        (["fe80::1%eth0", "1"], "[fe80::1%eth0]:1"),
        ([], "default"),
    ],
)
def test_addresses_in_one_word_or_two(words: list[str], address: str) -> None:
    assert joined_address(parser(), words, "default") == address


def test_three_words_are_too_many() -> None:
    with pytest.raises(UsageError, match="too many arguments: 2 3"):
        joined_address(parser(), ["host", "1", "2", "3"])


@pytest.mark.parametrize(
    "arguments",
    [["h", "1", "--once"], ["--once", "h", "1"], ["h", "--once", "1"], ["h", "1", "--timeout", "3", "--once"]],
)
def test_options_may_stand_anywhere(arguments: list[str]) -> None:
    options = parsed(*arguments)
    assert options.address == ["h", "1"]
    assert options.once


@pytest.mark.parametrize("arguments", [[], ["--once"]])
def test_an_address_may_be_left_out_where_there_is_a_default(arguments: list[str]) -> None:
    assert parsed(*arguments, default="12345").address in ([], None)
    assert parsed("h", *arguments, "1", default="12345").address == ["h", "1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "connect: ADDRESS is missing. See: wirecat connect --help"),
        (["1", "--bogus"], "connect: unknown option --bogus. See: wirecat connect --help"),
        (["1", "--onc"], "connect: unknown option --onc (did you mean --once?). See: wirecat connect --help"),
        (["1", "-x", "-y"], "connect: unknown options -x -y. See: wirecat connect --help"),
        (["1", "--bogus=3", "--more"], "connect: unknown options --bogus --more. See: wirecat connect --help"),
        (["--hlep"], "connect: unknown option --hlep (did you mean --help?). See: wirecat connect --help"),
        (["1", "--timeout"], "connect: --timeout: a value is missing. See: wirecat connect --help"),
        (["1", "--timeout", "x"], "connect: --timeout: 'x' is no number of seconds. See: wirecat connect --help"),
        (["1", "--once=3"], "connect: --once takes no value. See: wirecat connect --help"),
    ],
)
def test_errors_are_one_line(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(*arguments)
    assert str(caught.value) == said
    assert caught.value.exit_code == 2


def test_quiet_and_verbose() -> None:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    options = parse(parser(), ["1", "-q", "-vv"], environment)
    assert environment.quiet
    assert options.verbose == 2


def help_of(made: Parser) -> list[str]:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    with pytest.raises(SystemExit) as ended:
        parse(made, ["--help"], environment)
    assert ended.value.code in (0, None)
    return environment.stdout.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


def test_the_help_begins_with_the_examples_and_a_short_usage() -> None:
    lines = help_of(parser())
    assert lines[:6] == [
        "Examples:",
        "  wirecat connect 1      # one",
        "  wirecat connect 1234   # two",
        "",
        "usage: wirecat connect [options] ADDRESS",
        "",
    ]
    assert "Connects." in lines


def test_the_usage_tells_what_may_be_left_out() -> None:
    assert "usage: wirecat connect [options] [ADDRESS]" in help_of(parser("12345"))


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_the_help_keeps_to_the_width_of_the_screen(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = help_of(parser())
    assert max(map(len, lines[lines.index("options:") :])) <= max(columns, 40)


def test_the_description_is_filled_and_tables_stay() -> None:
    text = "One sentence of\nmany words.\n\nTable:\n  a  first line that is long\n  b  second\nEnd of it."
    assert _wrapped(text, 22).splitlines() == [
        "One sentence of many",
        "words.",
        "",
        "Table:",
        "  a  first line that",
        "     is long",
        "  b  second",
        "End of it.",
    ]
