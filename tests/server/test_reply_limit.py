"""The limit of replies: per host, on loopback per address and port, by number and by bytes."""

from __future__ import annotations

import pytest

from wirecat.address import Address
from wirecat.server import reply_limit
from wirecat.server.reply_limit import BYTES_A_REPLY, ReplyLimit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_burst_then_rate() -> None:
    clock = Clock()
    limit = ReplyLimit(10, clock)
    assert [limit.allows("a", 1, 1) for _ in range(12)] == [True] * 10 + [False] * 2
    clock.now += 0.5
    assert [limit.allows("a", 1, 1) for _ in range(7)] == [True] * 5 + [False] * 2
    clock.now += 100
    assert [limit.allows("a", 1, 1) for _ in range(11)] == [True] * 10 + [False]


def test_hosts_do_not_share_a_limit() -> None:
    limit = ReplyLimit(1, Clock())
    assert limit.allows("a", 1, 1) and limit.allows("b", 1, 1) and not limit.allows("a", 1, 1)


def test_amplified_bytes_are_limited() -> None:
    clock = Clock()
    limit = ReplyLimit(10, clock)
    assert [limit.allows("a", 6001, 1) for _ in range(3)] == [True, True, False]
    clock.now += 0.5
    assert [limit.allows("a", 6001, 1) for _ in range(2)] == [True, False]


def test_echo_is_limited_by_number_only() -> None:
    limit = ReplyLimit(10, Clock())
    assert [limit.allows("a", 65_000, 65_000) for _ in range(11)] == [True] * 10 + [False]


def test_what_was_received_without_an_answer_counts_for_later_ones() -> None:
    limit = ReplyLimit(2, Clock())
    assert limit.allows("a", 2 * BYTES_A_REPLY, 0)
    assert not limit.allows("a", 100, 50)
    assert limit.allows("a", 100, 50)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("192.0.2.1", 1), ("192.0.2.1", 2), True),
        (("192.0.2.1", 1), ("::ffff:192.0.2.1", 2), True),
        (("127.0.0.1", 1), ("127.0.0.1", 2), False),
        (("127.0.0.1", 1), ("::ffff:127.0.0.1", 1), True),
        (("::1", 1), ("::1", 2), False),
        (("2001:db8::1", 1), ("2001:db8::1", 2), True),
        (("2001:db8::1", 1), ("2001:db8::2", 1), False),
    ],
)
def test_key_is_the_host_and_on_loopback_the_port_too(one: tuple[str, int], other: tuple[str, int], same: bool) -> None:
    limit = ReplyLimit()
    assert (limit.key_of(Address("udp", *one)) == limit.key_of(Address("udp", *other))) is same


def test_paths_and_none_have_no_limit() -> None:
    assert ReplyLimit().key_of(Address("unixgram", path="/a")) is None
    assert ReplyLimit(None).key_of(Address("udp", "192.0.2.1", 1)) is None


def test_memory_is_bounded_and_a_flood_of_senders_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_limit, "_MOST", 8)
    limit = ReplyLimit(5, Clock())
    for number in range(8):
        assert [limit.allows(str(number), 1, 1) for _ in range(6)] == [True] * 5 + [False]
    assert [limit.allows("new", 1, 1) for _ in range(2)] == [True, False]
    assert [limit.allows("0", 1, 1) for _ in range(2)] == [True, False], "it was forgotten, and starts with one"
    assert len(limit._left) == 8


def test_withheld_replies_are_counted_for_each_peer() -> None:
    limit = ReplyLimit()
    peer = Address("udp", "127.0.0.1", 1)
    limit.withhold("k", peer, 3)
    limit.withhold("k", peer, 4)
    assert limit.take_withheld() == [(peer, 2, 7)]
    assert limit.take_withheld() == []
