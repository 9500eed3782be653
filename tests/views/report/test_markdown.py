"""The report as Markdown: text that is only text, in tables and blocks that it cannot end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from views.report.stories import crowd, nothing, one_talk
from wirecat.views.report.markdown import code, code_block, plain, report_markdown
from wirecat.views.report.pictures import PICTURES
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_all_of_it() -> None:
    text = report_markdown(one_talk(author="Anna"), WORDS)
    assert text.startswith("# A talk with 127.0.0.1:12345\n\n- Author: Anna\n- Recorded: 22 November 2026")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## {WORDS(name)}" for name in PICTURES]
    assert "| 0.100250 s | 127.0.0.1:58800 | ← | ` You told me: Hallo ` 18 B |" in text


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("story", [nothing(), one_talk(), crowd(300)], ids=["nothing", "one", "many"])
def test_one_part(name: str, story: object) -> None:
    text = report_markdown(story, WORDS, name)  # type: ignore[arg-type]
    assert text.count("## ") == 1
    assert len(text) < 20_000


def test_marks_mean_nothing() -> None:
    assert plain("<b>*x*|[y](z)") == "\\<b\\>\\*x\\*\\|\\[y\\]\\(z\\)"
    assert code("a`b``c") == "``` a`b``c ```"
    assert code("a|b`") == "a\\|b\\`"
    assert code_block(["````", "x"]) == "`````text\n````\nx\n`````"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=3))
def test_hostile_bytes_do_not_leave_their_place(texts: list[bytes]) -> None:
    text = report_markdown(one_talk(texts), WORDS)
    rows = [line for line in text.splitlines() if line.startswith("| 0.")]
    assert len(rows) >= 2 * len(texts)
    for row in rows:
        bars = row.replace("\\\\", "").replace("\\|", "").count("|")
        assert bars in (4, 5, 8)  # the tables of bytes, of steps, of connections
