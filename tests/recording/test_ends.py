"""How the ends of a connection stand in its packets."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.recording.ends import ends_of, stand_ins

HERE = Address("tcp", "127.0.0.1", 80)


def test_as_they_are() -> None:
    assert ends_of(HERE, Address("tcp", "10.0.0.1", 5)) == ((bytes([127, 0, 0, 1]), 80), (bytes([10, 0, 0, 1]), 5))
    found = ends_of(Address("tcp", "fe80::1%eth0", 1), Address("tcp", "::1", 2))
    assert found is not None
    assert found[0] == (bytes.fromhex("fe80" + "0" * 27 + "1"), 1)


@pytest.mark.parametrize("other", ["unix:///run/x", "exec:cat", "host:5", "[::1]:5", "127.0.0.1:80", "vsock://2:70000"])
def test_those_that_have_none(other: str) -> None:
    assert ends_of(HERE, Address.parse(other)) is None


def test_stand_ins_are_loopback_and_never_alike() -> None:
    seen = set()
    for number in (1, 2, 59_999, 60_000, 60_001, 10_000_000):
        client, server = stand_ins(number, by_us=True)
        assert client[0][0] == server[0][0] == 127
        assert 0 < client[1] < 65536
        assert stand_ins(number, by_us=False) == (server, client)
        seen.add(client)
    assert len(seen) == 6
