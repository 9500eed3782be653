"""The table of schemes: each row is true, and what is not in it is told."""

from __future__ import annotations

import importlib

import pytest

from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import SCHEMES, open_listener, open_stream, scheme_of
from wirecat.errors import AddressError


@pytest.mark.parametrize("name", SCHEMES)
def test_each_row_is_true(name: str) -> None:
    row = SCHEMES[name]
    assert row.name == name
    assert row.help
    assert scheme_of(Address.parse(row.example)) is row
    module = importlib.import_module(row.module)
    assert hasattr(module, "open_stream") == row.connects
    assert hasattr(module, "open_listener") == row.listens


def test_an_unknown_scheme_is_told_with_those_there_are() -> None:
    with pytest.raises(AddressError, match=r"unknown scheme 'gopher'.*There are: .*tcp.*unix"):
        open_stream(Address.parse("gopher://host:70"), Deadline(5))
    with pytest.raises(AddressError, match="unknown scheme"):
        open_listener(Address.parse("gopher://host:70"))


def test_an_unknown_option_is_told() -> None:
    for use in (lambda address: open_stream(address, Deadline(5)), open_listener):
        with pytest.raises(AddressError, match="unknown option 'colour' for tcp"):
            use(Address.parse("tcp://127.0.0.1:80?colour=red"))


def test_what_cannot_be_done_is_told() -> None:
    with pytest.raises(AddressError, match="cannot be listened on"):
        open_listener(Address.parse("-"))
    with pytest.raises(AddressError, match="port 0"):
        open_stream(Address.parse("127.0.0.1:0"), Deadline(5))


def test_standard_input_and_output_cannot_be_half_closed() -> None:
    stream = open_stream(Address.parse("-"), Deadline(5))
    assert stream.can_half_close is scheme_of(Address.parse("-")).half_closes is False
    stream.close()
