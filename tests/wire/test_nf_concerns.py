"""Which expressions may give another result in a copy."""

from __future__ import annotations

import struct

import pytest

from wirecat.wire.netlink import attribute
from wirecat.wire.nf_concerns import Concern, find_concern, is_limiting_set, is_log, match_concern


def expression(name: str, **data: int | bytes) -> bytes:
    """An expression; a data's name is ``n`` and its number."""
    parts = b"".join(
        attribute(int(kind[1:]), value if isinstance(value, bytes) else struct.pack("!I", value))
        for kind, value in data.items()
    )
    return attribute(1, name.encode() + b"\0") + attribute(2, parts)


@pytest.mark.parametrize(
    ("raw", "concern"),
    [
        (expression("limit"), Concern.LIMIT),
        (expression("cmp", n1=1), None),
        (expression("meta", n2=10), None),  # skuid
        (expression("meta", n2=11), Concern.OWNER),
        (expression("meta", n2=23), Concern.NETWORK_CLASS),
        (expression("nat", n1=0), None),
        (expression("nat", n1=1), Concern.REDIRECT),
        (expression("payload", n1=1, n2=0, n3=6, n4=6), Concern.SENDER),
        (expression("payload", n1=1, n2=0, n3=0, n4=6), None),
        (expression("payload", n1=1, n2=1, n3=6, n4=6), None),
        (expression("objref", n1=1, n2=b"counter\0"), None),
        (expression("objref", n1=4, n2=b"limit\0"), Concern.LIMIT),
        (expression("objref", n4=b"limits\0"), Concern.LIMIT),
        (expression("objref", n4=b"counters\0"), None),
        (expression("dynset", n7=attribute(1, b"limit\0")), Concern.LIMIT),
        (expression("dynset", n10=attribute(1, attribute(1, b"counter\0"))), None),
        (expression("socket", n1=3), Concern.CONTROL_GROUP),
        (expression("match", n1=b"recent\0", n3=bytes(8) + b"\4\0"), Concern.STATE),
        (expression("target", n1=b"NFQUEUE\0"), Concern.PROGRAM),
    ],
)
def test_concern_of_an_expression(raw: bytes, concern: Concern | None) -> None:
    assert find_concern(raw, ("limits",)) is concern


def test_recent_that_only_remembers_always_matches() -> None:
    assert match_concern("recent", bytes(8) + b"\2\0") is None
    assert match_concern("recent", bytes(8) + b"\2\1") is Concern.STATE


def test_owner_by_user_is_copied_by_group_is_not() -> None:
    assert match_concern("owner", bytes(16) + b"\1\0") is None
    assert match_concern("owner", bytes(16) + b"\3\0") is Concern.OWNER


def test_logs() -> None:
    assert is_log(expression("log"))
    assert is_log(expression("target", n1=b"IDLETIMER\0"))
    assert not is_log(expression("target", n1=b"DROP\0"))


def test_sets_of_limits() -> None:
    assert is_limiting_set({15: struct.pack("!I", 4)})
    assert not is_limiting_set({15: struct.pack("!I", 1)})
    assert is_limiting_set({17: attribute(1, b"connlimit\0")})
