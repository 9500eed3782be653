"""Tests of the options read into values."""

from __future__ import annotations

import pytest

from wirecat.cli.getopt import Option
from wirecat.cli.ncat.endings import Ending
from wirecat.cli.ncat.settings import Settings, read


class Asked(Exception):
    """The help or the version."""


def at_once(option: Option) -> None:
    raise Asked(option.sets)


def settings(*arguments: str) -> Settings:
    return read(list(arguments), at_once)


def test_nothing_is_said() -> None:
    found = settings()
    assert (found.listen, found.verbose, found.wait, found.allow, found.operands) == (False, 0, None, [], [])
    assert not found.tls
    assert found.command is None


def test_what_is_said() -> None:
    found = settings("-lkvv", "-w", "500ms", "--allow", "a,b", "--allow=c", "-p80", "host", "-e", "cat")
    assert found.listen and found.keep_open
    assert (found.verbose, found.wait, found.allow) == (2, 0.5, ["a", "b", "c"])
    assert (found.source_port, found.operands, found.command) == (80, ["host"], "cat")


def test_of_two_families_the_last_counts() -> None:
    assert (settings("-4", "-6").ipv4, settings("-4", "-6").ipv6) == (False, True)
    assert (settings("-6", "-4").ipv4, settings("-6", "-4").ipv6) == (True, False)


def test_hops_accumulate() -> None:
    assert settings("-g", "a,b", "-g", "c").hops == "a,b,c"


@pytest.mark.parametrize(
    "option",
    [
        "--ssl",
        "--ssl-verify",
        "--ssl-cert=x",
        "--ssl-trustfile=x",
        "--ssl-ciphers=x",
        "--ssl-servername=x",
        "--ssl-alpn=x",
    ],
)
def test_every_option_of_tls_asks_for_it(option: str) -> None:
    assert settings(option).tls


@pytest.mark.parametrize("option", ["-h", "--help", "--version"])
def test_help_comes_before_what_is_wrong_behind_it(option: str) -> None:
    with pytest.raises(Asked):
        settings(option, "--bogus")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-w", "0"],
        ["-i", "x"],
        ["-d", "-1"],
        ["-q", "x"],
        ["-p", "x"],
        ["-p", "65536"],
        ["-G", "5"],
        ["-Q"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_ends_it(arguments: list[str]) -> None:
    with pytest.raises(Ending) as raised:
        settings(*arguments)
    assert raised.value.code == 2
    assert raised.value.text.endswith("QUITTING.")
