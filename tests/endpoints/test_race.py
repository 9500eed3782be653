"""The race to the first address that answers: who wins, when, and that nothing is left of the others."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from background import Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import refusing, silent
from wirecat.deadline import Deadline
from wirecat.endpoints.race import ATTEMPT_DELAY, connect_first

Candidate = tuple[int, Any]

#: A port that does not answer is made with a full queue, of which Linux drops what else comes.
needs_silence = pytest.mark.skipif(sys.platform != "linux", reason="needs a port that does not answer")


def at(port: int, host: str = "127.0.0.1") -> Candidate:
    return (socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def good(server: socket.socket) -> Candidate:
    return at(server.getsockname()[1])


@pytest.fixture
def refused() -> Iterator[Candidate]:
    with refusing() as port:
        yield at(port)


@pytest.fixture
def dropped() -> Iterator[Candidate]:
    with silent() as port:
        yield at(port)


@contextlib.contextmanager
def connected(candidates: list[Candidate], seconds: float | None = 10) -> Iterator[tuple[socket.socket, float]]:
    """The winner and how long it took."""
    started = time.monotonic()
    winner = connect_first(candidates, Deadline(seconds))
    took = time.monotonic() - started
    with winner:
        yield winner, took


def test_the_first_that_answers(good: Candidate) -> None:
    with connected([good]) as (winner, took):
        assert winner.getpeername() == good[1]
        assert winner.gettimeout() is None
        assert took < ATTEMPT_DELAY


def test_a_refusal_is_followed_by_the_next_at_once(refused: Candidate, good: Candidate) -> None:
    with connected([refused, refused, good, refused]) as (winner, took):
        assert winner.getpeername() == good[1]
        assert took < ATTEMPT_DELAY


@needs_silence
def test_silence_is_followed_by_the_next_after_a_moment(dropped: Candidate, good: Candidate) -> None:
    with connected([dropped, good]) as (winner, took):
        assert winner.getpeername() == good[1]
        assert ATTEMPT_DELAY <= took < 0.9, "before the silent one is asked again, at 1 s"


@needs_silence
def test_a_refusal_between_does_not_delay_the_next(dropped: Candidate, refused: Candidate, good: Candidate) -> None:
    with connected([dropped, refused, refused, good]) as (winner, took):
        assert winner.getpeername() == good[1]
        assert ATTEMPT_DELAY <= took < 2 * ATTEMPT_DELAY


@needs_silence
def test_one_that_is_slow_may_still_win() -> None:
    """The first has a full queue, and has room again while the second is being tried: it is asked again after 1 s."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as slow, socket.socket() as filler, silent() as port:
        place = slow.getsockname()
        filler.connect(place)
        with Background(lambda: connect_first([at(place[1]), at(port)], Deadline(20))) as connecting:
            assert stays(lambda: connecting.running, 0.4)
            with slow.accept()[0], connecting.result() as winner:
                assert winner.getpeername() == place


@needs_silence
def test_the_deadline_is_for_all_together(dropped: Candidate) -> None:
    with silent() as port:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            connect_first([dropped, at(port), dropped, at(port)], Deadline(0.6))
        assert 0.55 <= time.monotonic() - started < 1.5


@needs_silence
def test_a_silent_one_and_refusals_are_no_answer(dropped: Candidate, refused: Candidate) -> None:
    with pytest.raises(TimeoutError):
        connect_first([refused, dropped, refused], Deadline(0.5))


def test_all_refuse(refused: Candidate) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectionRefusedError):
        connect_first([refused] * 5, Deadline(10))
    assert time.monotonic() - started < 1


def test_a_refusal_says_more_than_no_way(refused: Candidate) -> None:
    no_way = (socket.AF_INET, ("255.255.255.255", 9))  # without SO_BROADCAST that is not permitted
    for candidates in ([refused, no_way], [no_way, refused]):
        with pytest.raises(ConnectionRefusedError):
            connect_first(candidates, Deadline(10))
    with pytest.raises(OSError) as caught:
        connect_first([no_way], Deadline(10))
    assert caught.value.errno in (errno.EACCES, errno.ENETUNREACH)


def test_many_candidates(refused: Candidate, good: Candidate) -> None:
    with connected([refused] * 200 + [good]) as (winner, took):
        assert winner.getpeername() == good[1]
        assert took < 2


def test_a_family_that_this_pc_has_not(good: Candidate) -> None:
    with connected([(12345, ("nowhere", 1)), good]) as (winner, _):
        assert winner.getpeername() == good[1]
    with pytest.raises(OSError):
        connect_first([(12345, ("nowhere", 1))], Deadline(10))


def test_a_port_joined_to_itself_is_no_server() -> None:
    """A client's port may be the very one that it calls: with nobody listening TCP joins it to itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def bound(family: int) -> socket.socket:
        made = socket.socket(family)
        made.bind(("127.0.0.1", port))
        return made

    with bound(socket.AF_INET) as proof:
        proof.connect(("127.0.0.1", port))  # so it happens indeed
        assert proof.getsockname() == proof.getpeername()
        proof.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with pytest.raises(ConnectionRefusedError):
        connect_first([at(port)], Deadline(10), bound)


def test_one_that_is_reset_before_a_word_could_be_said(good: Candidate) -> None:
    class Reset(socket.socket):
        def getpeername(self) -> Any:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    with pytest.raises(ConnectionResetError):
        connect_first([good], Deadline(10), lambda family: Reset(family))


@pytest.mark.parametrize("seconds", [None, 3e6, 1e12])
def test_any_length_of_time_can_be_waited(good: Candidate, refused: Candidate, seconds: float | None) -> None:
    """poll(2) takes less than 25 days."""
    with silent() as port, connected([at(port), good], seconds) as (winner, _):
        assert winner.getpeername() == good[1]


def test_what_is_no_address_leaves_no_socket_open() -> None:
    with pytest.raises(OverflowError):
        connect_first([at(70000)], Deadline(10))


def test_no_time_left_at_all(good: Candidate) -> None:
    with pytest.raises(TimeoutError), silent() as port:
        connect_first([at(port)], Deadline(0))
