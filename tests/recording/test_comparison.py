"""Two streams compared as they come, in whatever pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import UsageError
from wirecat.recording.comparison import EXACT, LENGTH, NONE, Comparison, Difference


def told(difference: Difference | None) -> tuple[int, bytes, bytes] | None:
    return None if difference is None else (difference.offset, difference.recorded, difference.got)


def test_alike() -> None:
    comparison = Comparison()
    comparison.recorded(b"hello")
    comparison.got(b"hel")
    assert comparison.ahead == 2
    comparison.got(b"lo you")
    comparison.recorded(b" you")
    assert told(comparison.finish()) is None


def test_a_byte_that_differs() -> None:
    comparison = Comparison()
    comparison.recorded(b"hello world")
    comparison.got(b"hello")
    comparison.got(b" wOrld and more")
    assert told(comparison.difference) == (7, b"orld", b"Orld and more")
    comparison.got(b"and on")
    assert told(comparison.finish()) == (7, b"orld", b"Orld and more")


def test_too_little_and_too_much() -> None:
    for kind in (EXACT, LENGTH):
        short, long = Comparison(kind), Comparison(kind)
        short.recorded(b"abc")
        short.got(b"a")
        long.recorded(b"a")
        long.got(b"abc")
        assert told(short.finish())[0] == told(long.finish())[0] == 1  # type: ignore[index]
        if kind == EXACT:
            assert told(short.finish()) == (1, b"bc", b"")
            assert told(long.finish()) == (1, b"", b"bc")


def test_only_what_is_asked_for() -> None:
    for kind, data in ((LENGTH, b"xyz"), (NONE, b"another length")):
        comparison = Comparison(kind)
        comparison.recorded(b"abc")
        comparison.got(data)
        assert comparison.finish() is None
    with pytest.raises(UsageError):
        Comparison("nearly")


@given(some.binary(max_size=20), some.binary(max_size=20), some.data())
def test_any_pieces(recorded: bytes, got: bytes, choose: some.DataObject) -> None:
    if choose.draw(some.booleans()):
        got = recorded[: choose.draw(some.integers(0, len(recorded)))] + got
    comparison = Comparison()
    left = {"recorded": recorded, "got": got}
    while any(left.values()):
        name = choose.draw(some.sampled_from([name for name, data in left.items() if data]))
        size = choose.draw(some.integers(1, len(left[name])))
        getattr(comparison, name)(left[name][:size])
        left[name] = left[name][size:]
    found = comparison.finish()
    if recorded == got:
        assert found is None
        return
    assert found is not None
    common = next((place for place, pair in enumerate(zip(recorded, got, strict=False)) if pair[0] != pair[1]),
                  min(len(recorded), len(got)))  # fmt: skip
    assert found.offset == common
