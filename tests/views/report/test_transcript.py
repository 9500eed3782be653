"""The transcript: text and hex of each piece, folded, and a page that stays small."""

from __future__ import annotations

from views.report.stories import crowd, one_talk
from wirecat.views.report import transcript
from wirecat.views.report.transcript import connections_table, lines_of, transcripts
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_each_piece_has_time_text_and_hex() -> None:
    text = transcripts(one_talk([b"Hi <b>\n"]), WORDS)
    assert "<time>21:30:05.223456</time>" in text
    assert '<span class="bytes">Hi &lt;b&gt;</span>' in text
    assert "48 69 20 3c 62 3e 0a" in text
    assert text.count("<details") == text.count("</details>") == 3


def test_lines_stay_lines() -> None:
    assert lines_of(b"one\r\ntwo\n\nfour") == "one\ntwo\n\nfour"
    assert lines_of(b"a\x00b\n") == "a\\x00b"
    assert lines_of(b"") == ""


def test_what_is_too_much_is_left_out_and_counted() -> None:
    text = transcripts(crowd(5000, texts=5), WORDS)
    assert len(text) < transcript.BUDGET * 1.1
    assert "of 5,000 connections are here" in text


def test_a_large_piece_is_cut() -> None:
    text = transcripts(one_talk([b"x" * 50_000]), WORDS)
    assert "the first 2.0 kB of 50 kB" in text


def test_a_long_talk_is_cut() -> None:
    text = transcripts(one_talk([b"x"] * 300), WORDS)
    assert "400 more pieces are not shown here" in text


def test_the_table_of_connections() -> None:
    text = connections_table(crowd(5000), WORDS)
    assert text.count("<tr>") == transcript.LISTED + 2  # and two heads
    assert text.index("<tbody>") < text.index("<summary>475 more connections</summary>")
    assert "The first 500 of 5,000 connections are listed." in text
    assert '<td class="addr">127.0.0.1:20000</td>' in text


def test_a_few_connections_stand_there_at_sight() -> None:
    text = transcripts(crowd(60), WORDS)
    assert text.count("<details open>") == 3
    before, rest = text.split("<summary>35 more connections</summary>")
    assert before.count("<summary>25 <code>") == 1
    assert rest.count("<summary>26 <code>") == 1
    assert "more connections" not in connections_table(crowd(transcript.AT_SIGHT), WORDS)


def test_one_talk_alone_does_not_break_the_budget() -> None:
    text = transcripts(one_talk([b"\xff&" * 1000] * 200), WORDS)
    assert len(text) < transcript.BUDGET + 50_000
    assert "more pieces are not shown here" in text
