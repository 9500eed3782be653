"""Who closed first and why: each way in which a connection can end."""

from __future__ import annotations

import errno

import pytest

from wirecat.address import Address
from wirecat.connection import ConnectionState
from wirecat.endpoints.failures import broken
from wirecat.errors import ConnectionBroken, DeadlineExpired
from wirecat.server.ending import ending_of, is_handlers_fault

PEER = Address("tcp", "192.0.2.1", 4000)


class Ended(ConnectionState):
    """A connection that is no more than what it knows."""

    @property
    def peer(self) -> Address:
        return PEER


@pytest.fixture
def connection() -> Ended:
    return Ended(1)


def test_an_orderly_end(connection: Ended) -> None:
    assert ending_of(connection, None, peer_first=True) == ("peer", "end")
    assert ending_of(connection, None, peer_first=False) == ("server", "end")


@pytest.mark.parametrize("reason", ["idle", "kicked", "shutdown"])
def test_our_own_cut_stands_above_what_comes_of_it(connection: Ended, reason: str) -> None:
    connection.cut_reason = reason
    for failure in (None, broken(OSError(errno.ECONNRESET, "reset"), PEER), ValueError()):
        for peer_first in (True, False):
            assert ending_of(connection, failure, peer_first=peer_first) == ("server", reason)
        if failure is not None:
            assert not is_handlers_fault(connection, failure)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNRESET, "reset"),
        (errno.EPIPE, "reset"),
        (errno.ECONNABORTED, "reset"),
        (errno.ENOTCONN, "reset"),
        (errno.ETIMEDOUT, "lost"),
        (errno.EHOSTUNREACH, "lost"),
    ],
)
def test_the_peer_broke_off(connection: Ended, number: int, reason: str) -> None:
    failure = broken(OSError(number, "said the system"), PEER)
    assert ending_of(connection, failure, peer_first=False) == ("peer", reason)
    assert not is_handlers_fault(connection, failure)


def test_a_handlers_fault(connection: Ended) -> None:
    for failure in (
        ValueError(),
        SystemExit(),
        OSError(errno.ECONNRESET, ""),
        DeadlineExpired("silence", address=PEER),
    ):
        assert ending_of(connection, failure, peer_first=False) == ("server", "handler error")
        assert ending_of(connection, failure, peer_first=True) == ("peer", "handler error")
        assert is_handlers_fault(connection, failure)


def test_another_connection_of_the_handlers_own_is_not_this_one(connection: Ended) -> None:
    """As of a handler that forwards to somebody else, who breaks off."""
    failure = ConnectionBroken("the peer broke the connection off", address=Address("tcp", "192.0.2.9", 80))
    assert ending_of(connection, failure, peer_first=False) == ("server", "handler error")
    assert is_handlers_fault(connection, failure)
