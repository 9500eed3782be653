"""Waiting for sockets, by poll and by select."""

from __future__ import annotations

import select
import socket
import time

import pytest

from background import Background, stays
from wirecat.endpoints.waiting import wait_readable, wait_writable


@pytest.fixture(params=["poll", "select"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "select":
        monkeypatch.delattr(select, "poll", raising=False)
    elif not hasattr(select, "poll"):
        pytest.skip("no poll(2) here")


def test_those_that_are_readable(way: None) -> None:
    one, two = socket.socketpair()
    three, four = socket.socketpair()
    with one, two, three, four:
        assert wait_readable([one, three], 0) == []
        started = time.monotonic()
        assert wait_readable([one, three], 0.05) == []
        assert time.monotonic() - started > 0.04
        four.send(b"x")
        assert wait_readable([one, three], 10) == [three]
        two.close()
        assert wait_readable([one, three], None) == [one, three], "an end is readable too"


def test_a_wait_is_woken(way: None) -> None:
    one, two = socket.socketpair()
    with one, two, Background(lambda: wait_readable([one], None)) as waiting:
        assert stays(lambda: waiting.running)
        two.send(b"x")
        assert waiting.result() == [one]


def test_writable(way: None) -> None:
    one, two = socket.socketpair()
    with one, two:
        started = time.monotonic()
        wait_writable(one, 10)
        assert time.monotonic() - started < 5
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                one.send(bytes(65536))
        started = time.monotonic()
        wait_writable(one, 0.05)
        assert time.monotonic() - started > 0.04
