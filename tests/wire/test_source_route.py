"""Tests of the IPv4 option for loose source routing (RFC 791 section 3.1)."""

from __future__ import annotations

import pytest

from wirecat.errors import UsageError
from wirecat.wire.source_route import loose_source_route


def test_the_bytes() -> None:
    assert loose_source_route(["1.2.3.4"], "5.6.7.8") == bytes([1, 131, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8])
    assert len(loose_source_route(["1.2.3.4"] * 8, "5.6.7.8")) == 40
    assert loose_source_route(["1.2.3.4"], "5.6.7.8", 8)[3] == 8


@pytest.mark.parametrize(
    ("hops", "destination", "pointer"),
    [
        ([], "5.6.7.8", 4),
        (["1.2.3.4"] * 9, "5.6.7.8", 4),
        (["::1"], "5.6.7.8", 4),
        (["1.2.3"], "5.6.7.8", 4),
        (["1.2.3.256"], "5.6.7.8", 4),
        (["1.2.3.4"], "host", 4),
        (["1.2.3.4"], "5.6.7.8", 5),
        (["1.2.3.4"], "5.6.7.8", 12),
    ],
)
def test_what_cannot_be(hops: list[str], destination: str, pointer: int) -> None:
    with pytest.raises(UsageError):
        loose_source_route(hops, destination, pointer)
