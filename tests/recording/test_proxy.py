"""The handler of a recording proxy: bytes and half-closes both ways, and what keeps a client from the target."""

from __future__ import annotations

import pytest

import wirecat
from plain_peers import refusing
from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.recording.proxy import Forward


def test_both_ways() -> None:
    with wirecat.serve("echo", "127.0.0.1:0") as target, wirecat.serve(Forward(target.address), "127.0.0.1:0") as proxy:
        with wirecat.connect(proxy.address) as connection:
            for text in ("hello", "x" * 1_000_000):
                connection.send_line(text)
                assert connection.receive_line(2_000_000) == text
            connection.half_close()
            assert connection.receive() is None


def test_a_target_that_is_not_there_ends_the_client_alone() -> None:
    failures: list[str] = []

    def note(event: wirecat.Event) -> None:
        if isinstance(event, wirecat.Failed):
            failures.append(event.error)

    with refusing() as port:
        with wirecat.serve(Forward(Address("tcp", "127.0.0.1", port)), "127.0.0.1:0", on_event=note) as proxy:
            for _ in range(2):
                with wirecat.connect(proxy.address) as connection:
                    assert connection.receive() is None
    assert len(failures) == 2
    assert "refused" in failures[0]


def test_datagrams_are_not_for_it() -> None:
    with pytest.raises(UsageError):
        Forward(Address.parse("udp://127.0.0.1:5"))
