"""A stream put together from segments in any order, with any repeats, and with holes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.reassembly import Memory, Reassembler

START = 2**32 - 5  # so that the numbers wrap round


def begun(sequence: int = 0) -> Reassembler:
    stream = Reassembler()
    stream.begin(sequence)
    return stream


def joined(pieces: list[tuple[int, bytes, int]]) -> bytes:
    """The pieces of a stream without holes."""
    assert all(missing == 0 for missing, _, _ in pieces)
    return b"".join(data for _, data, _ in pieces)


def test_in_order() -> None:
    stream = begun(START)
    assert stream.segment(START, b"hello ", 1) == [(0, b"hello ", 1)]
    assert stream.segment((START + 6) % 2**32, b"world", 2) == [(0, b"world", 2)]
    assert (stream.repeated, stream.out_of_order, stream.place) == (0, 0, 11)


def test_repeat_is_given_once() -> None:
    stream = begun()
    stream.segment(0, b"hello")
    assert stream.segment(0, b"hello") == []
    assert stream.segment(3, b"lo you") == [(0, b" you", 0)]
    assert (stream.repeated, stream.conflicts) == (7, 0)
    assert stream.segment(5, b"!you") == []
    assert (stream.conflicts, stream.conflict_at) == (1, 5)


def test_conflict_far_back_is_found() -> None:
    stream = begun()
    for number in range(1000):
        stream.segment(number * 3, b"abc")
    stream.segment(30, b"abX")
    assert (stream.conflicts, stream.conflict_at) == (1, 30)


def test_conflict_between_pieces_that_wait_is_found() -> None:
    stream = begun()
    stream.segment(5, b"fgh")
    stream.segment(5, b"fgX!")
    assert stream.segment(0, b"abcde") == [(0, b"abcde", 0), (0, b"fgh!", 0)]
    assert (stream.conflicts, stream.conflict_at) == (1, 5)


def test_keep_alive_is_no_repeat() -> None:
    stream = begun()
    stream.segment(0, b"hello")
    assert stream.segment(4, b"\0") == []
    assert (stream.keep_alives, stream.repeated, stream.conflicts) == (1, 0, 0)


def test_disorder_is_put_right_and_pieces_keep_their_times() -> None:
    stream = begun()
    assert stream.segment(6, b"world", 1) == []
    assert stream.segment(3, b"lo w", 2) == []
    assert stream.segment(0, b"hel", 3) == [(0, b"hel", 3), (0, b"lo w", 2), (0, b"orld", 1)]
    assert stream.out_of_order == 2


def test_hole_is_given_up_once_bytes_behind_it_are_confirmed() -> None:
    stream = begun()
    stream.segment(0, b"ab")
    assert stream.segment(5, b"fg", 9) == []
    assert stream.confirmed(2) == []
    assert stream.confirmed(7) == [(3, b"fg", 9)]
    assert stream.segment(7, b"h") == [(0, b"h", 0)]
    assert stream.segment(3, b"d!") == []  # too late
    assert (stream.stray, stream.repeated) == (2, 0)


def test_hole_at_the_end() -> None:
    stream = begun()
    stream.segment(4, b"e")
    stream.segment(9, b"j")
    assert stream.finish() == [(4, b"e", 0), (4, b"j", 0)]
    stream.skip(15)
    assert stream.missing == 5


def test_bytes_cut_by_the_capture_are_missing_before_the_next() -> None:
    stream = begun()
    assert stream.segment(0, b"ab", 0, 8) == [(0, b"ab", 0)]
    assert stream.segment(10, b"k") == [(8, b"k", 0)]
    assert stream.segment(21, b"v", 0, 9) == []
    assert stream.segment(11, b"l" * 10) == [(0, b"l" * 10, 0), (0, b"v", 0)]
    assert stream.missing == 9


def test_hole_over_a_gibibyte_loses_nothing() -> None:
    stream = begun()
    stream.segment(0, b"a")
    for distance in (1 << 30, 3 << 30):
        assert stream.segment((stream.place + distance) % 2**32, b"b") == []
        assert stream.finish() == [(distance, b"b", 0)]


def test_bytes_before_the_first_segment_are_stray() -> None:
    stream = Reassembler()
    assert stream.segment(100, b"x") == [(0, b"x", 0)]
    assert stream.segment(90, b"0123456789x") == []
    assert (stream.stray, stream.repeated) == (10, 1)


def test_waiting_bytes_are_counted_and_cost_does_not_depend_on_holes() -> None:
    memory = Memory()
    stream = Reassembler(memory)
    stream.begin(0)
    for number in range(50_000):  # takes minutes where a segment costs more the more holes there are
        stream.segment(2 * number + 1, b"x")
    assert memory.waiting > 50_000
    assert len(stream.finish()) == 50_000
    assert memory.waiting == 0


def test_bytes_kept_to_compare_with_are_bounded() -> None:
    memory = Memory()
    stream = Reassembler(memory)
    for number in range(100):
        stream.segment(number << 17, bytes(1 << 17))
    assert memory.given <= 1 << 23


@given(some.binary(min_size=1, max_size=60), some.data())
def test_any_order_with_any_overlap(text: bytes, choose: some.DataObject) -> None:
    spans = some.tuples(some.integers(0, len(text) - 1), some.integers(2, 20))
    cuts = choose.draw(some.lists(spans, max_size=20))
    cuts += [(place, 7) for place in range(0, len(text), 7)]
    order = choose.draw(some.permutations(cuts))
    stream = begun(START)
    found = [piece for place, size in order for piece in
             stream.segment((START + place) % 2**32, text[place : place + size])]  # fmt: skip
    assert joined(found) == text
    assert stream.conflicts == 0
    assert stream.finish() == []
