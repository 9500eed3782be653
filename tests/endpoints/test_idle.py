"""The option ``idle`` of datagram addresses."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.endpoints.idle import idle_of
from wirecat.errors import AddressError


@pytest.mark.parametrize(("text", "seconds"), [("", 7.0), ("?idle=2.5", 2.5), ("?idle=0", None)])
def test_the_option_idle(text: str, seconds: float | None) -> None:
    assert idle_of(Address.parse(f"udp://1{text}"), 7.0) == seconds


@pytest.mark.parametrize("text", ["x", "-1", "nan", "inf", "1e99"])
def test_an_option_idle_that_is_none(text: str) -> None:
    with pytest.raises(AddressError, match="no number of seconds"):
        idle_of(Address.parse(f"udp://1?idle={text}"), None)
