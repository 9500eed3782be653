"""The base of responders, and what counts as an answer."""

from __future__ import annotations

from typing import Any

import pytest

from wirecat.server.responder import Responder, answer_bytes


def test_the_base_answers_nothing() -> None:
    responder = Responder()
    assert responder.opened() is responder.ended() is responder.more() is None
    assert not responder.finished and not responder.streams
    with pytest.raises(NotImplementedError):
        responder.receive(b"x")


@pytest.mark.parametrize(
    ("answer", "data"),
    [(None, b""), (b"", b""), (b"x", b"x"), (bytearray(b"x"), b"x"), (memoryview(b"xyz")[::2], b"xz")],
)
def test_answers(answer: Any, data: bytes) -> None:
    assert answer_bytes(answer) == data
    assert type(answer_bytes(answer)) is bytes


@pytest.mark.parametrize(
    "answer", ["text", "", 0, 5, True, False, [], [1], {}, object()], ids=lambda each: type(each).__name__
)
def test_what_is_no_answer(answer: Any) -> None:
    with pytest.raises(TypeError, match=f"bytes or None, not {type(answer).__name__}"):
        answer_bytes(answer)


def test_text_gets_a_hint() -> None:
    with pytest.raises(TypeError, match=r"text\.encode\(\)"):
        answer_bytes("text")
