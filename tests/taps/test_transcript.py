"""The transcript: what each side said, printable, shortened, and at most so many lines a second."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from wirecat.events import Event
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.taps.transcript import LINES_A_SECOND, LONGEST, NotShown, Said, TranscriptTap

PATIENCE = 15.0


class Told:
    """A transcript with what it published."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._changed = threading.Condition()
        self.tap = TranscriptTap(self.publish)

    def publish(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def say(self, data: bytes, when: float = 1.0, direction: str = RECEIVED, connection: int = 1) -> None:
        assert self.tap.chunk(connection, direction, data, when) is None

    def wait(self, count: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, PATIENCE)
            return list(self.events)

    def wait_for_hidden(self, count: int) -> None:
        """Wait until so many chunks were told as not shown, in one or several events; it may never be more."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._hidden() >= count, PATIENCE)
            assert self._hidden() == count

    def _hidden(self) -> int:
        return sum(each.count for each in self.events if isinstance(each, NotShown))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Hallo", "Hallo"),
        (b"Hallo\n", "Hallo"),
        (b"Hallo\r\n", "Hallo"),
        (b"Hallo\n\n", "Hallo\\n"),
        (b"one\ntwo\n", "one\\ntwo"),
        ("Grüße".encode(), "Grüße"),
        (b"\xff\0", "\\xff\\x00"),
        (b"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\u202eb".encode(), "a\\u202eb"),
        (b"\n", ""),
        (b"", ""),
    ],
)
def test_what_was_said(data: bytes, text: str) -> None:
    told = Told()
    told.say(data, connection=7, direction=SENT)
    (said,) = told.events
    assert isinstance(said, Said)
    assert (said.connection, said.direction, said.text, said.size, said.whole) == (7, SENT, text, len(data), True)


def test_long_chunks_are_shortened() -> None:
    told = Told()
    told.say(b"x" * LONGEST)
    told.say(b"x" * (LONGEST + 1))
    told.say(b"x" * 100_000)
    assert [len(each.text) for each in told.events] == [LONGEST] * 3
    assert [each.whole for each in told.events] == [True, False, False]
    assert told.events[2].size == 100_000


@pytest.mark.parametrize("character", ["ß", "€", "😀"])
def test_no_character_is_cut_in_two(character: str) -> None:
    width = len(character.encode())
    for before in range(width):
        told = Told()
        told.say(b"x" * before + character.encode() * 400)
        (said,) = told.events
        assert said.text == "x" * before + character * ((LONGEST - before) // width)


def test_bytes_that_look_like_the_middle_of_a_character_are_shown_all_the_same() -> None:
    told = Told()
    told.say(b"\x80" * 1000)
    assert LONGEST - 4 <= told.events[0].text.count("\\x80") <= LONGEST


def test_more_than_a_person_can_read_is_counted() -> None:
    told = Told()
    now = time.monotonic()
    for number in range(LINES_A_SECOND + 50):
        told.say(b"%d" % number, now)
    events = told.wait(LINES_A_SECOND + 1)  # by itself, when the second is over, though nothing more is said
    assert [each.text for each in events[:-1]] == [str(number) for number in range(LINES_A_SECOND)]
    assert isinstance(events[-1], NotShown) and events[-1].count == 50
    assert time.monotonic() - now >= 0.9
    told.say(b"again", now + 1.5)
    assert told.events[-1].text == "again"


def test_nothing_is_counted_twice() -> None:
    told = Told()
    for second in range(1, 5):
        for _ in range(LINES_A_SECOND + 5):
            told.say(b"x", float(second))
        for event in told.tap.take_hidden():
            told.publish(event)
        assert told.tap.take_hidden() == []
    told.wait_for_hidden(20)  # its own timer may have taken some of them
    assert sum(isinstance(each, Said) for each in told.events) == 4 * LINES_A_SECOND


def test_many_threads_at_once() -> None:
    told = Told()
    threads = [threading.Thread(target=lambda: [told.say(b"x", 1.0) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for event in told.tap.take_hidden():
        told.publish(event)
    told.wait_for_hidden(1600 - LINES_A_SECOND)
    assert sum(isinstance(each, Said) for each in told.events) == LINES_A_SECOND
