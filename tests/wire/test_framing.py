"""Framing: the same lines and counts, wherever the stream was cut into pieces."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import LineTooLong, UsageError
from wirecat.wire.framing import LONGEST_LINE, ReceiveBuffer, decode, encode, split_ending

# Streams in which ends of lines, halves of them and halves of characters are frequent.
streams = some.lists(
    some.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"word", b"\xc3\xbc", b"\xc3", b"\xff", b"\x00", b" "]), max_size=30
).map(b"".join)
cuts = some.lists(some.integers(0, 200), max_size=20)


def pieces_of(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[first:last] for first, last in zip(edges, edges[1:], strict=False)]


def lines_of(pieces: list[bytes], longest: int = LONGEST_LINE) -> list[bytes]:
    """As a connection does it: after each piece all lines that are there."""
    buffer = ReceiveBuffer()
    lines = []
    for piece in pieces:
        buffer.feed(piece)
        while line := buffer.take_line(longest):
            lines.append(line)
    buffer.feed_end()
    while line := buffer.take_line(longest):
        lines.append(line)
    assert len(buffer) == 0
    return lines


def too_long(pieces: list[bytes], longest: int) -> bool:
    try:
        lines_of(pieces, longest)
    except LineTooLong:
        return True
    return False


@given(streams, cuts)
def test_the_same_lines_wherever_it_is_cut(stream: bytes, places: list[int]) -> None:
    lines = lines_of(pieces_of(stream, places))
    assert b"".join(lines) == stream
    expected = [line + b"\n" for line in stream.split(b"\n")]
    expected[-1] = expected[-1][:-1]
    assert lines == [line for line in expected if line]
    for line in lines[:-1]:
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1


@given(streams, cuts, some.integers(0, 12))
def test_the_same_lines_are_too_long_wherever_it_is_cut(stream: bytes, places: list[int], longest: int) -> None:
    bodies = [split_ending(line)[0] for line in lines_of([stream])]
    expected = any(len(body) > longest for body in bodies)
    assert too_long([stream], longest) is expected
    assert too_long(pieces_of(stream, places), longest) is expected
    assert too_long([stream[place : place + 1] for place in range(len(stream))], longest) is expected


def test_a_line_whose_crlf_is_split_between_pieces() -> None:
    buffer = ReceiveBuffer()
    buffer.feed(b"one\r")
    assert buffer.take_line() is None
    buffer.feed(b"\ntwo")
    assert buffer.take_line() == b"one\r\n"
    assert buffer.take_line() is None
    buffer.feed_end()
    assert buffer.take_line() == b"two"
    assert buffer.take_line() == b""
    assert buffer.take_line() == b""


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [1, 64, LONGEST_LINE])
def test_a_line_exactly_at_the_limit_passes_and_one_byte_more_does_not(ending: bytes, size: int) -> None:
    whole = b"x" * size + ending
    assert lines_of([whole], size) == [whole]
    assert lines_of([whole[:-1], whole[-1:]], size) == [whole]
    assert lines_of([b"x" * size, ending], size) == [whole]
    assert lines_of([b"x" * size], size) == [b"x" * size]
    for over in (b"x" + whole, b"x" * (size + 1), b"x" * size + b"\ry"):
        assert too_long([over], size)
        assert too_long([over[:-2], over[-2:-1], over[-1:]], size)


def test_a_line_without_end_is_refused_before_it_ends() -> None:
    """Else a peer could fill the memory."""
    buffer = ReceiveBuffer()
    buffer.feed(b"x" * LONGEST_LINE)
    assert buffer.take_line() is None
    buffer.feed(b"x")
    with pytest.raises(LineTooLong, match="65536"):
        buffer.take_line()


def test_the_bytes_of_a_line_that_is_too_long_stay() -> None:
    for stream in (b"too long\nnext\n", b"too long"):
        buffer = ReceiveBuffer()
        buffer.feed(stream)
        for _ in range(2):
            with pytest.raises(LineTooLong):
                buffer.take_line(5)
        assert len(buffer) == len(stream)
        assert buffer.take(100) == stream


def test_a_larger_limit_then_takes_it() -> None:
    buffer = ReceiveBuffer()
    buffer.feed(b"too long")
    with pytest.raises(LineTooLong):
        buffer.take_line(5)
    buffer.feed(b"\nnext\n")
    assert buffer.take_line(50) == b"too long\n"
    assert buffer.take_line(5) == b"next\n"


def test_lines_and_counts_may_take_turns() -> None:
    buffer = ReceiveBuffer()
    buffer.feed(b"ab\ncdef\ng")
    assert buffer.take_line() == b"ab\n"
    assert buffer.take_exactly(2) == b"cd"
    assert buffer.take_line() == b"ef\n"
    assert buffer.take_line() is None
    assert buffer.take_exactly(2) is None
    assert buffer.take(5) == b"g"
    assert buffer.take(5) == b""
    assert buffer.take_exactly(0) == b""
    buffer.feed(b"h\n")
    assert buffer.take_line() == b"h\n"


def test_a_search_that_found_nothing_is_not_trusted_after_a_take() -> None:
    buffer = ReceiveBuffer()
    buffer.feed(b"abcdef")
    assert buffer.take_line() is None
    assert buffer.take(4) == b"abcd"
    buffer.feed(b"\nx")
    assert buffer.take_line() == b"ef\n"


@pytest.mark.parametrize("count", [-1, -100])
def test_a_negative_count_is_a_fault_of_the_caller(count: int) -> None:
    buffer = ReceiveBuffer()
    buffer.feed(b"abc")
    with pytest.raises(UsageError):
        buffer.take(count)
    with pytest.raises(UsageError):
        buffer.take_exactly(count)
    assert len(buffer) == 3


def byte_by_byte(length: int) -> float:
    """Seconds for a line of `length` bytes that arrives byte by byte."""
    buffer = ReceiveBuffer()
    started = time.process_time()
    for _ in range(length):
        buffer.feed(b"x")
        assert buffer.take_line(length) is None
    buffer.feed(b"\n")
    assert len(buffer.take_line(length) or b"") == length + 1
    return time.process_time() - started


def test_long_lines_arriving_byte_by_byte_take_linear_time() -> None:
    """Eight times the length takes about eight times as long; searched from its start each time it would be 64 times."""
    short = min(byte_by_byte(LONGEST_LINE) for _ in range(3))
    long = min(byte_by_byte(8 * LONGEST_LINE) for _ in range(2))
    assert long < 24 * short


def test_many_short_lines_in_one_piece_take_linear_time() -> None:
    buffer = ReceiveBuffer()
    buffer.feed(b"x\n" * 200_000)
    started = time.process_time()
    count = 0
    while buffer.take_line():
        count += 1
    assert count == 200_000
    assert time.process_time() - started < 5  # 0.2 s; moving 400 KB for each line would be minutes


@given(some.binary())
def test_every_byte_survives_as_text(data: bytes) -> None:
    assert encode(decode(data)) == data


@given(some.text(some.characters(codec="utf-8")))
def test_every_text_survives_as_bytes(text: str) -> None:
    assert decode(encode(text)) == text
    assert encode(text) == text.encode()


@given(some.text(some.characters(codec="utf-8", exclude_characters="\n")), some.data())
def test_characters_split_between_pieces_come_out_whole(text: str, data: some.DataObject) -> None:
    stream = encode(text) + b"\n"
    place = data.draw(some.integers(0, len(stream)))
    [line] = lines_of([stream[:place], stream[place:]])
    assert decode(line) == text + "\n"


def test_bytes_are_left_as_they_are() -> None:
    assert encode(b"\xff") == b"\xff"
    assert decode(bytearray(b"\xff")) == "\udcff"


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"", (b"", b"")),
        (b"\n", (b"", b"\n")),
        (b"\r\n", (b"", b"\r\n")),
        (b"a\r", (b"a\r", b"")),
        (b"a\r\r\n", (b"a\r", b"\r\n")),
        (b"a\n", (b"a", b"\n")),
        (b"a", (b"a", b"")),
    ],
)
def test_the_end_of_a_line(line: bytes, parts: tuple[bytes, bytes]) -> None:
    assert split_ending(line) == parts
