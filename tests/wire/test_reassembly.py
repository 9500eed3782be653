"""A stream put together from segments in any order, with any repeats, and with holes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire import reassembly
from wirecat.wire.reassembly import Reassembler

START = 2**32 - 5  # so that the numbers wrap round


def joined(pieces: list[tuple[int, bytes]]) -> bytes:
    """The pieces of a stream without holes."""
    assert all(missing == 0 for missing, _ in pieces)
    return b"".join(data for _, data in pieces)


def test_in_order() -> None:
    stream = Reassembler()
    stream.begin(START)
    assert stream.segment(START, b"hello ") == [(0, b"hello ")]
    assert stream.segment((START + 6) % 2**32, b"world") == [(0, b"world")]
    assert (stream.repeated, stream.out_of_order) == (0, 0)


def test_a_repeat_is_given_once() -> None:
    stream = Reassembler()
    stream.begin(0)
    stream.segment(0, b"hello")
    assert stream.segment(0, b"hello") == []
    assert stream.segment(3, b"lo you") == [(0, b" you")]
    assert (stream.repeated, stream.conflicting) == (7, 0)
    assert stream.segment(5, b"!you") == []
    assert stream.conflicting == 1


def test_disorder_is_put_right() -> None:
    stream = Reassembler()
    stream.begin(0)
    assert stream.segment(6, b"world") == []
    assert stream.segment(3, b"lo w") == []
    assert stream.segment(0, b"hel") == [(0, b"hel"), (0, b"lo w"), (0, b"orld")]
    assert stream.out_of_order == 2


def test_a_hole_that_the_other_side_has_bytes_behind_of_is_told() -> None:
    stream = Reassembler()
    stream.begin(0)
    stream.segment(0, b"ab")
    assert stream.segment(5, b"fg") == []
    assert stream.confirmed(2) == []
    assert stream.confirmed(7) == [(3, b"fg")]
    assert stream.segment(7, b"h") == [(0, b"h")]


def test_a_hole_at_the_end_is_told() -> None:
    stream = Reassembler()
    stream.begin(0)
    stream.segment(4, b"e")
    stream.segment(9, b"j")
    assert stream.finish() == [(4, b"e"), (4, b"j")]
    assert stream.skip(15) == 5


def test_what_waits_is_bounded() -> None:
    stream = Reassembler()
    stream.begin(0)
    given_up: list[tuple[int, bytes]] = []
    piece = b"x" * (reassembly.MOST_WAITING // 4)
    for number in range(6):
        given_up += stream.segment(10 + number * len(piece), piece)
    assert given_up[0] == (10, piece)


@given(some.binary(min_size=1, max_size=60), some.data())
def test_any_order_with_any_overlap(text: bytes, choose: some.DataObject) -> None:
    spans = some.tuples(some.integers(0, len(text) - 1), some.integers(1, 20))
    cuts = choose.draw(some.lists(spans, max_size=20))
    cuts += [(place, 7) for place in range(0, len(text), 7)]
    order = choose.draw(some.permutations(cuts))
    stream = Reassembler()
    stream.begin(START)
    found = [piece for place, size in order for piece in
             stream.segment((START + place) % 2**32, text[place : place + size])]  # fmt: skip
    assert joined(found) == text
    assert stream.conflicting == 0
    assert stream.finish() == []
