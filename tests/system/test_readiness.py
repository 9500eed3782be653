"""One epoll for many descriptors, on each loop."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from event_loops import on_each_loop, settled
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.system import readiness as module
from wirecat.system.readiness import IN, OUT, Readiness, outruns

pytestmark = pytest.mark.skipif(not module.AVAILABLE, reason="the system has no epoll(7)")


class Watcher:
    """Notes what it is told, and reads what there is."""

    def __init__(self, watched: socket.socket) -> None:
        self.watched = watched
        self.told: list[int] = []
        self.data = b""

    def on_ready(self, what: int) -> None:
        self.told.append(what)
        if what & IN:
            self.data += self.watched.recv(1)


@on_each_loop
async def test_each_is_told_of_its_own_until_there_is_no_more() -> None:
    readiness = Readiness(asyncio.get_running_loop())
    pairs = [socket.socketpair() for _ in range(50)]
    watchers = [Watcher(ours) for ours, _ in pairs]
    try:
        for (ours, _), watcher in zip(pairs, watchers, strict=True):
            readiness.add(ours.fileno(), IN, watcher)
        for number, (_, theirs) in enumerate(pairs):
            theirs.sendall(b"%02d" % number)
        assert await settled(lambda: all(len(each.data) == 2 for each in watchers))
        assert [each.data for each in watchers] == [b"%02d" % number for number in range(50)]
        assert {what for each in watchers for what in each.told} == {IN}
    finally:
        readiness.close()
        for pair in pairs:
            for end in pair:
                end.close()


@on_each_loop
async def test_other_events_are_asked_for() -> None:
    readiness = Readiness(asyncio.get_running_loop())
    ours, theirs = socket.socketpair()
    watcher = Watcher(ours)
    with ours, theirs:
        readiness.add(ours.fileno(), IN, watcher)
        readiness.change(ours.fileno(), OUT)
        assert await settled(lambda: bool(watcher.told))
        readiness.change(ours.fileno(), IN)
        watcher.told.clear()
        theirs.sendall(b"x")
        assert await settled(lambda: watcher.data == b"x")
        assert watcher.told == [IN]
        readiness.close()


@on_each_loop
async def test_nobody_is_told_after_its_removal_even_in_the_same_round() -> None:
    readiness = Readiness(asyncio.get_running_loop())
    pairs = [socket.socketpair() for _ in range(2)]

    class Jealous(Watcher):
        def on_ready(self, what: int) -> None:
            super().on_ready(what)
            for ours, _ in pairs:
                if ours is not self.watched:
                    readiness.remove(ours.fileno())

    watchers = [Jealous(ours) for ours, _ in pairs]
    try:
        for (ours, theirs), watcher in zip(pairs, watchers, strict=True):
            theirs.sendall(b"x")
            readiness.add(ours.fileno(), IN, watcher)
        assert await settled(lambda: any(each.told for each in watchers))
        await asyncio.sleep(0)
        assert sorted(len(each.told) for each in watchers) == [0, 1]
        readiness.remove(pairs[0][0].fileno())  # once more, or for the first time: either is nothing
        readiness.remove(pairs[1][0].fileno())
        readiness.remove(100_000)
    finally:
        readiness.close()
        for pair in pairs:
            for end in pair:
                end.close()


@on_each_loop
async def test_many_that_are_ready_leave_the_loop_to_others() -> None:
    """More than are told in one round, and none of them ever reads: all have their turns, and so has the loop."""
    readiness = Readiness(asyncio.get_running_loop())
    told: set[int] = set()

    class Idle:
        def __init__(self, number: int) -> None:
            self.number = number

        def on_ready(self, what: int) -> None:
            told.add(self.number)

    pairs = [socket.socketpair() for _ in range(30)]
    before, module.MOST = module.MOST, 8
    try:
        for number, (ours, theirs) in enumerate(pairs):
            theirs.sendall(b"x")
            readiness.add(ours.fileno(), IN, Idle(number))
        assert await settled(lambda: len(told) == len(pairs))
    finally:
        module.MOST = before
        readiness.close()
        for pair in pairs:
            for end in pair:
                end.close()


@on_each_loop
async def test_what_cannot_be_watched_is_told() -> None:
    readiness = Readiness(asyncio.get_running_loop())
    try:
        closed = socket.socket()
        number = closed.fileno()
        closed.close()
        with pytest.raises(OSError):
            readiness.add(number, IN, Watcher(closed))
        with pytest.raises(ValueError):
            readiness.add(-1, IN, Watcher(closed))
        with open(__file__, "rb") as file, pytest.raises(PermissionError):  # epoll_ctl(2): no file
            readiness.add(file.fileno(), IN, Watcher(closed))
    finally:
        readiness.close()


@on_each_loop
async def test_it_outruns_asyncios_own_loop_alone() -> None:
    loop = asyncio.get_running_loop()
    assert outruns(loop) == isinstance(loop, asyncio.SelectorEventLoop)


@on_each_loop
async def test_after_the_close_nobody_is_told() -> None:
    readiness = Readiness(asyncio.get_running_loop())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watcher = Watcher(ours)
        readiness.add(ours.fileno(), IN, watcher)
        theirs.sendall(b"x")
        readiness.close()
        readiness.close()
        readiness.remove(ours.fileno())
        for _ in range(5):
            await asyncio.sleep(0)
        assert watcher.told == []


@on_each_loop
async def test_one_that_a_child_has_too_is_told_no_more() -> None:
    """Its end would be seen for ever, while the child holds it open, by whoever takes its number next."""
    readiness = Readiness(asyncio.get_running_loop())
    ours, theirs = socket.socketpair()
    again, other = socket.socketpair()
    copy = ours.dup()  # what a child would have
    number = ours.detach()
    with theirs, copy, again, other:
        watcher, successor = Watcher(copy), Watcher(again)
        readiness.add(number, IN, watcher)
        readiness.remove(number)
        os.dup2(again.fileno(), number)  # it is closed, and its number another's
        readiness.add(number, IN, successor)
        theirs.sendall(b"x")
        other.sendall(b"y")
        assert await settled(lambda: successor.data == b"y")
        for _ in range(5):
            await asyncio.sleep(0)
        assert (len(successor.told), watcher.told) == (1, [])
        readiness.remove(number)
        os.close(number)
    readiness.close()
