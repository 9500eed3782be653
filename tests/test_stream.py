"""What an open end promises; that each kind keeps it is in endpoints/conformance.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wirecat.stream import Stream

CALLS: dict[str, Callable[[Stream], object]] = {
    "receive": lambda stream: stream.receive(1),
    "receive_into": lambda stream: stream.receive_into(bytearray(1)),
    "send": lambda stream: stream.send(b"x"),
    "half_close": lambda stream: stream.half_close(),
    "set_timeout": lambda stream: stream.set_timeout(1),
    "set_receive_timeout": lambda stream: stream.set_receive_timeout(1),
    "close": lambda stream: stream.close(),
    "abort": lambda stream: stream.abort(),
    "lose": lambda stream: stream.lose(),
    "fileno": lambda stream: stream.fileno(),
}

#: What a stream without a descriptor of its own for raw bytes answers.
RAW: dict[str, Callable[[Stream], object]] = {
    "raw_source": lambda stream: stream.raw_source() == "no plain descriptor",
    "raw_sink": lambda stream: stream.raw_sink() == "no plain descriptor",
    "raw_wait": lambda stream: stream.raw_wait() is False,
    "raw_wait_sink": lambda stream: stream.raw_wait_sink() is False,
    "raw_receive_failure": lambda stream: stream.raw_receive_failure(OSError()) is None,
    "raw_send_failure": lambda stream: stream.raw_send_failure(OSError(), 1) is None,
}

#: What a stream may leave alone.
HINTS: dict[str, Callable[[Stream], object]] = {
    "handshake": lambda stream: stream.handshake(),
    "watch": lambda stream: stream.watch(None),
    "loss": lambda stream: stream.loss(),
    "expect_bulk": lambda stream: stream.expect_bulk(),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_operation_is_for_a_subclass_to_make(name: str) -> None:
    with pytest.raises(NotImplementedError):
        CALLS[name](Stream())


@pytest.mark.parametrize("name", RAW)
def test_without_a_descriptor_bytes_are_copied(name: str) -> None:
    assert RAW[name](Stream())


@pytest.mark.parametrize("name", HINTS)
def test_a_hint_may_be_left_alone(name: str) -> None:
    HINTS[name](Stream())


def test_the_promise_is_whole() -> None:
    public = {name for name, value in vars(Stream).items() if callable(value) and not name.startswith("_")}
    assert public == set(CALLS) | set(RAW) | set(HINTS)
    assert all(getattr(Stream, name).__doc__ for name in public)
    assert Stream.can_half_close
    assert not Stream.keeps_boundaries
