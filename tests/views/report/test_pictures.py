"""Every picture at every size of story, wide and narrow, in both languages: well-formed, inside its frame, small."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from views.report.stories import crowd, nothing, one_talk, outside, text_of
from wirecat.views.report.pictures import LAPTOP, PHONE, PICTURES
from wirecat.views.report.story import Story
from wirecat.views.report.words import Words

STORIES = {
    "nothing": nothing(),
    "one": one_talk(author="Anna Muster"),
    "three": crowd(3),
    "many": crowd(400, broken_every=7),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("width", [LAPTOP, PHONE, 300, 1600])
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_all_text_stays_inside(story: Story, name: str, width: int, language: str) -> None:
    svg = PICTURES[name](story, Words(language), width).svg(standalone=True)
    assert outside(svg) == []
    assert text_of(svg)
    assert len(svg) < 80_000


@pytest.mark.parametrize("name", PICTURES)
@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.binary(max_size=80), max_size=6), author=st.text(max_size=30))
def test_hostile_bytes_do_nothing(name: str, texts: list[bytes], author: str) -> None:
    for width in (LAPTOP, PHONE):
        svg = PICTURES[name](one_talk(texts, author=author), Words(), width).svg(standalone=True)
        assert all(each.isprintable() or each == "\n" for each in text_of(svg) if ord(each) < 0x300)
