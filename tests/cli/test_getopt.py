"""Tests of the table-driven parser: getopt_long(3)'s rules, and its words for what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.cli.getopt import Option, scan
from wirecat.errors import UsageError

TABLE = (
    Option("l", "listen", "", "", "listen", "flag"),
    Option("v", "verbose", "", "", "verbose", "count"),
    Option("p", "port", "n", "", "port", "text"),
    Option("s", "source", "addr", "", "source", "text"),
    Option("", "ssl", "", "", "ssl", "flag"),
    Option("", "ssl-cert", "file", "", "cert", "text"),
    Option("", "ssl-ciphers", "list", "", "ciphers", "text"),
    Option("", "ssl-verify", "", "", "verify", "flag"),
    Option("4", "", "", "", "ipv4", "flag"),
)


def parse(*arguments: str) -> tuple[list[tuple[str, str]], list[str]]:
    operands: list[str] = []
    return [(option.sets, value) for option, value in scan(arguments, TABLE, operands)], operands


@pytest.mark.parametrize(
    ("arguments", "options", "operands"),
    [
        ([], [], []),
        (["-l"], [("listen", "")], []),
        (["-lv4"], [("listen", ""), ("verbose", ""), ("ipv4", "")], []),
        (["-vvv"], [("verbose", "")] * 3, []),
        (["-p", "80"], [("port", "80")], []),
        (["-p80"], [("port", "80")], []),
        (["-lp", "80"], [("listen", ""), ("port", "80")], []),
        (["-lvp80"], [("listen", ""), ("verbose", ""), ("port", "80")], []),
        (["-p", "-l"], [("port", "-l")], []),
        (["-p", "--"], [("port", "--")], []),
        (["-p", ""], [("port", "")], []),
        (["-ssl"], [("source", "sl")], []),
        (["--listen"], [("listen", "")], []),
        (["--port=80"], [("port", "80")], []),
        (["--port", "80"], [("port", "80")], []),
        (["--port="], [("port", "")], []),
        (["--port=a=b"], [("port", "a=b")], []),
        (["--li"], [("listen", "")], []),
        (["--po=80"], [("port", "80")], []),
        (["--ssl"], [("ssl", "")], []),
        (["--ssl-v"], [("verify", "")], []),
        # Two long options without a letter that both take a value are one to getopt_long(3): the first wins.
        (["--ssl-c", "x"], [("cert", "x")], []),
        (["host", "-l", "80"], [("listen", "")], ["host", "80"]),
        (["-l", "--", "-v", "--x"], [("listen", "")], ["-v", "--x"]),
        (["-", "-l"], [("listen", "")], ["-"]),
        (["--", "--"], [], ["--"]),
        (["host", "--", "80", "-l"], [], ["host", "80", "-l"]),
    ],
)
def test_command_lines(arguments: list[str], options: list[tuple[str, str]], operands: list[str]) -> None:
    assert parse(*arguments) == (options, operands)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-Q"], "invalid option -- 'Q'"),
        (["-lQ"], "invalid option -- 'Q'"),
        (["-p"], "option requires an argument -- 'p'"),
        (["-lp"], "option requires an argument -- 'p'"),
        (["--bogus"], "unrecognized option '--bogus'"),
        (["--bogus=1"], "unrecognized option '--bogus'"),
        (["--port"], "option '--port' requires an argument"),
        (["--listen=1"], "option '--listen' doesn't allow an argument"),
        (
            ["--s"],
            "option '--s' is ambiguous; possibilities: '--source' '--ssl' '--ssl-cert' '--ssl-ciphers' '--ssl-verify'",
        ),
        (["--ssl-"], "option '--ssl-' is ambiguous; possibilities: '--ssl-cert' '--ssl-verify'"),
        (["--=x"], "unrecognized option '--'"),
    ],
)
def test_what_is_wrong_is_told_in_its_words(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(*arguments)
    assert str(raised.value) == message
    assert raised.value.exit_code == 2


def test_what_stands_before_an_error_comes_first() -> None:
    found = []
    with pytest.raises(UsageError):
        for option, _ in scan(["--listen", "--bogus"], TABLE, []):
            found.append(option.sets)
    assert found == ["listen"]


def test_an_option_that_is_not_to_be_abbreviated_takes_no_abbreviation_away() -> None:
    table = (
        Option("", "record", "file", "", "record", "text", whole=True),
        Option("", "recv-only", "", "", "recv", "flag"),
    )
    for word in ("--r", "--rec", "--recv-only"):
        assert [option.sets for option, _ in scan([word], table, [])] == ["recv"]
    assert [option.sets for option, _ in scan(["--record=x"], table, [])] == ["record"]
    with pytest.raises(UsageError, match="unrecognized option '--reco'"):
        list(scan(["--reco", "x"], table, []))


@given(some.lists(some.text(max_size=12)))
def test_nothing_is_lost_and_nothing_crashes(arguments: list[str]) -> None:
    operands: list[str] = []
    try:
        options = list(scan(arguments, TABLE, operands))
    except UsageError as error:
        assert len(str(error).splitlines()) >= 1
        return
    assert len(operands) <= len(arguments)
    if not any(word.startswith("-") and word != "-" for word in arguments):
        assert operands == arguments
        assert not options
