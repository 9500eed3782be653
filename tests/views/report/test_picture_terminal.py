"""The windows side by side, with the author's name and the time."""

from __future__ import annotations

from views.report.stories import crowd, one_talk, outside, text_of, texts_of
from wirecat.views.report.picture_terminal import terminal_picture
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_it_is_personal() -> None:
    texts = texts_of(terminal_picture(one_talk(author="Anna Muster"), WORDS).svg())
    assert texts[:2] == ["Anna Muster", "22 November 2026, 21:30:05 UTC"]
    assert "the server's window · Anna Muster" in texts
    assert "the client's window · Anna Muster" in texts


def test_one_client_stands_beside_the_server() -> None:
    svg = terminal_picture(one_talk(), WORDS).svg()
    first, second = (part.split('"')[0] for part in svg.split('<rect x="')[1:] if 'class="window"' in part)
    assert float(second) > float(first) + 400


def test_of_many_clients_six_are_shown_and_it_says_so() -> None:
    svg = terminal_picture(crowd(5000), WORDS).svg()
    assert svg.count('class="window"') == 7
    assert "6 of 5,000 clients" in text_of(svg)


def test_long_lines_are_folded_and_then_cut() -> None:
    svg = terminal_picture(one_talk([b"x" * 5000]), WORDS).svg()
    assert outside(svg) == []
    assert any(text.endswith("…") for text in texts_of(svg))


def test_of_many_lines_the_last_are_shown() -> None:
    text = text_of(terminal_picture(one_talk([b"%d" % number for number in range(100)]), WORDS).svg())
    assert "more lines" in text
    assert "> 99" in text
