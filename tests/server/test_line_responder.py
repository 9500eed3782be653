"""Line framing: whole lines whatever the pieces were, answers that end as the lines ended."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import LineTooLong
from wirecat.server.handlers.reply import make
from wirecat.server.line_responder import LineResponder, in_lines
from wirecat.server.responder import Responder
from wirecat.wire.framing import LONGEST_LINE


def got() -> LineResponder:
    responder = in_lines(make("got {data}"))()
    assert isinstance(responder, LineResponder)
    return responder


def test_whole_lines_are_answered_and_ended_as_they_ended() -> None:
    responder = got()
    assert responder.receive(b"one\ntwo\r\nth") == b"got one\ngot two\r\n"
    assert responder.receive(b"ree") is None
    assert responder.receive(b"\n\n") == b"got three\ngot \n"
    assert responder.receive(b"last") is None
    assert responder.ended() == b"got last"


def test_an_end_without_a_rest() -> None:
    assert got().ended() is None


def test_bytes_that_are_no_text_come_through() -> None:
    assert got().receive(b"\xff\0\x80\r\n") == b"got \xff\0\x80\r\n"


@given(some.binary(max_size=200), some.lists(some.integers(0, 200), max_size=8))
def test_the_cuts_make_no_difference(data: bytes, cuts: list[int]) -> None:
    def answers(pieces: list[bytes]) -> bytes:
        responder = got()
        return b"".join(responder.receive(piece) or b"" for piece in pieces) + (responder.ended() or b"")

    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in zip(places, places[1:], strict=False)]
    assert answers(pieces) == answers([data])


def test_the_longest_line_is_a_line() -> None:
    line = b"x" * LONGEST_LINE
    responder = got()
    assert responder.receive(line + b"\r\n") == b"got " + line + b"\r\n"
    assert responder.receive(line) is None
    assert responder.receive(b"\n") == b"got " + line + b"\n"


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_longer_line_is_refused_once_those_before_it_were_answered(end: bytes) -> None:
    responder = got()
    assert responder.receive(b"one\ntwo\n" + b"x" * (LONGEST_LINE + 1) + end) == b"got one\ngot two\n"
    with pytest.raises(LineTooLong):
        assert responder.finished


def test_a_longer_last_line_is_refused() -> None:
    responder = got()
    assert responder.receive(b"x" * LONGEST_LINE + b"\r") is None  # the CR may be half of a line's end
    with pytest.raises(LineTooLong):
        responder.ended()


def test_one_that_has_finished_is_given_no_more() -> None:
    class Two(Responder):
        def __init__(self) -> None:
            self.seen: list[bytes] = []

        def opened(self) -> bytes | None:
            return b"hello"

        def receive(self, data: bytes) -> bytes | None:
            self.seen.append(data)
            self.finished = len(self.seen) == 2
            return None if data == b"silent" else data

        def ended(self) -> bytes | None:
            return b"bye"

    inner = Two()
    responder = LineResponder(inner)
    assert responder.opened() == b"hello"
    assert responder.receive(b"silent\nb\nc\n") == b"b\n"
    assert responder.finished
    assert inner.seen == [b"silent", b"b"]
    assert responder.ended() is None


def test_the_end_of_the_inner_one_is_told() -> None:
    class Bye(Responder):
        def receive(self, data: bytes) -> bytes | None:
            return data

        def ended(self) -> bytes | None:
            return b"bye"

    responder = LineResponder(Bye())
    assert responder.receive(b"a\nb") == b"a\n"
    assert responder.ended() == b"bbye"


@pytest.mark.parametrize("answer", [bytearray(b"x"), memoryview(b"x")], ids=lambda each: type(each).__name__)
def test_answers_like_bytes(answer: Any) -> None:
    class Like(Responder):
        def receive(self, data: bytes) -> Any:
            return answer

    assert LineResponder(Like()).receive(b"\n") == b"x\n"


def test_an_answer_that_is_no_bytes() -> None:
    class Wrong(Responder):
        def receive(self, data: bytes) -> Any:
            return "text"

    with pytest.raises(TypeError, match="bytes or None, not str"):
        LineResponder(Wrong()).receive(b"\n")
