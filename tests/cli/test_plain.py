"""The plainest command line, read without argparse: which one it is, and that argparse would read the same."""

from __future__ import annotations

import pytest

from wirecat.cli.connect import DEFAULTS, _parsed
from wirecat.cli.environment import Environment
from wirecat.cli.plain import join_address, plain_options


@pytest.mark.parametrize(
    "arguments", [[], ["-h"], ["--ask", "1"], ["1", "-v"], ["1", "2", "3"], ["-"], ["--", "1"], ["1", "--"]]
)
def test_what_is_not_plain_is_left_to_argparse(arguments: list[str]) -> None:
    assert plain_options(arguments, {}) is None


@pytest.mark.parametrize("arguments", [["12345"], ["host", "1"], [""], ["::1", "1"], ["host:1"]])
def test_argparse_reads_the_same(arguments: list[str]) -> None:
    import io

    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    plain = plain_options(arguments, DEFAULTS)
    assert plain is not None
    assert vars(plain) == vars(_parsed(arguments, environment))


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["12345"], "12345"),
        (["host:1"], "host:1"),
        (["host", "1"], "host:1"),
        (["::1", "1"], "[::1]:1"),
        (["[::1]", "1"], "[::1]:1"),
    ],
)
def test_one_word_or_two(words: list[str], address: str) -> None:
    assert join_address(words) == address
