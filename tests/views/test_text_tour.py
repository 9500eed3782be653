"""The tour as text: steps, marks, colours, and nothing that would steer a terminal."""

from __future__ import annotations

from wirecat.app.tour import Step, TourResult
from wirecat.views.text_tour import end_text, step_text

GOOD = Step("A talk", "It shows.", ("one", "two\x1b[2J"), True, 0.25)
BAD = Step("An end", "It shows.", ("it is still taken",), False, 2.0)


def test_a_step_that_held() -> None:
    text = step_text(3, GOOD, colour=False)
    assert text.startswith("3. A talk\n   It shows.\n     one\n")
    assert "\x1b" not in text
    assert "ok (250 ms)" in text


def test_a_step_that_failed_says_so_without_colour_too() -> None:
    assert "FAILED (2.0 s)" in step_text(1, BAD, colour=False)
    assert "\x1b[31mFAILED" in step_text(1, BAD, colour=True)


def test_the_end_counts_the_failures() -> None:
    assert "Not every step held: see 2." in end_text(TourResult((GOOD, BAD)), seconds=1)
    assert "All 1 steps held" in end_text(TourResult((GOOD,)), seconds=1)


def test_the_end_says_where_the_report_lies() -> None:
    for result in (TourResult((GOOD,)), TourResult((GOOD, BAD))):
        assert "pictures: a\\x1b.html\n" in end_text(result, seconds=1, report="a\x1b.html")
    assert "report" not in end_text(TourResult((GOOD,)), seconds=1)
