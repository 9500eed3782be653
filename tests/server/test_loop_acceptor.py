"""Clients are let in by the loop that serves them; a handler that blocks it keeps the port no longer than a moment."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time

import pytest

from server.clients import PATIENCE, ask, serving
from wirecat.async_connection import AsyncConnection
from wirecat.events import Closed, Opened


def test_no_thread_accepts() -> None:
    with serving("echo", engine="async") as served, served.connect() as client:
        assert ask(client, b"x") == b"x"
        assert "wirecat-accept" not in {thread.name for thread in threading.enumerate()}


def test_a_handler_that_blocks_the_loop_does_not_keep_the_port() -> None:
    blocked, go_on = threading.Event(), threading.Event()

    async def block(connection: AsyncConnection) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE)

    with serving(block) as served, served.connect():
        assert blocked.wait(PATIENCE)
        try:
            served.server._acceptor.stop_accepting()
            with pytest.raises(ConnectionRefusedError):
                served.connect()
            with socket.create_server(("127.0.0.1", served.port)):  # somebody else can have it
                pass
        finally:
            go_on.set()


def test_a_listener_closed_behind_the_loops_back_leaves_its_number_to_others() -> None:
    """The next descriptor that the system gives may have the same number: who waits for that one must hear of it."""
    blocked, go_on, done = threading.Event(), threading.Event(), threading.Event()
    numbers: list[int] = []
    heard: list[bool] = []

    async def block(connection: AsyncConnection) -> None:
        blocked.set()
        assert go_on.wait(PATIENCE)
        await asyncio.sleep(0)  # what the loop was told meanwhile comes first
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            number = ours.fileno() if ours.fileno() == numbers[0] else os.dup2(ours.fileno(), numbers[0])
            theirs.send(b"x")
            loop.add_reader(number, readable.set)
            try:
                await asyncio.wait_for(readable.wait(), 5)
                heard.append(True)
            finally:
                loop.remove_reader(number)
                if number != ours.fileno():
                    os.close(number)
                done.set()

    with serving(block) as served, served.connect():
        assert blocked.wait(PATIENCE)
        acceptor = served.server._acceptor
        numbers.extend(listening.fileno() for listening in acceptor._listener.sockets)
        try:
            acceptor.stop_accepting()
        finally:
            go_on.set()
        assert done.wait(PATIENCE)
    assert heard


def test_who_is_idle_is_swept_however_long_nobody_came() -> None:
    with serving("echo", engine="async", idle_timeout=0.2) as served:
        for number in (1, 2):
            with served.connect() as client:
                assert client.recv(1) == b""
            assert served.events.wait(Closed, number).reason == "idle"


def test_it_takes_turns_with_those_who_are_served() -> None:
    """A burst of clients does not keep those waiting who are here, nor the other way round."""
    with serving("echo", engine="async") as served, served.connect() as first:
        others = [served.connect() for _ in range(200)]
        began = time.monotonic()
        assert ask(first, b"x") == b"x"
        assert time.monotonic() - began < PATIENCE
        served.events.wait(Opened, 201)
        for other in others:
            assert ask(other, b"y") == b"y"
            other.close()
