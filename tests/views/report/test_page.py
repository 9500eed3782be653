"""The page: one file that needs nothing else, whose tags are all its own whatever was recorded."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from views.report.stories import START, crowd, nothing, one_talk
from wirecat.views.report.collect import Collector
from wirecat.views.report.page import report_page
from wirecat.views.report.words import Words

TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "dt", "dd", "section", "figure", "div",
    "svg", "path", "rect", "text", "tspan", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "code",
    "pre", "span", "time", "b", "footer",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "xmlns", "viewbox", "role", "aria-label", "x", "y", "d",
    "rx", "width", "height", "text-anchor", "open",
}  # fmt: skip


class Parts(HTMLParser):
    """The tags, attributes and texts of a page. Fails for tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.style = ""
        self.policy = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = str(dict(attrs)["content"])
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.style += data


@pytest.mark.parametrize("language", ["en", "de"])
def test_it_is_well_formed_and_needs_nothing_else(language: str) -> None:
    page = report_page(one_talk(author="Anna Muster"), Words(language, "UTC"))
    parts = Parts(page)
    assert parts.tags <= TAGS
    assert parts.attributes <= ATTRIBUTES
    assert f'<html lang="{language}">' in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    parts = Parts(report_page(one_talk(), Words()))
    digest = b64encode(sha256(parts.style.encode()).digest()).decode()
    assert parts.policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_it_tells_who_when_and_where() -> None:
    page = report_page(one_talk(author="Anna Muster"), Words("en", "UTC"))
    for shown in ("Anna Muster", "22 November 2026, 21:30:05 UTC", "<dd>here</dd>", "talk.pcapng", "LISTEN"):
        assert shown in page


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4), st.text(max_size=40), st.text(max_size=40))
def test_hostile_bytes_do_nothing(texts: list[bytes], author: str, title: str) -> None:
    page = report_page(one_talk(texts, author=author, title=title), Words())
    parts = Parts(page)
    assert parts.tags <= TAGS
    assert parts.attributes <= ATTRIBUTES
    assert not [each for each in page if not each.isprintable() and each != "\n" and ord(each) < 0x300]


HOSTILE = [
    b"<script>alert(1)</script>", b"</style><script>", b"</span></div><img src=x onerror=alert(1)>", b"\"' onload='x",
    b"<!--", b"]]>", b"&lt;script&gt;&#60;", b"\xe2\x80\xae\xe2\x81\xa6", b"\x00\x1b]0;x\x07", b"\xff\xfe\xc3",
]  # fmt: skip


def test_what_attackers_write() -> None:
    collector = Collector()
    for text in HOSTILE:
        name = text.decode("utf-8", "surrogateescape")
        talk = collector.open(name, name, 5, protocol=name, note=name)
        collector.turn(talk, 6, True, text)
    hostile = HOSTILE[0].decode()
    story = collector.story(
        sources=[hostile], machine=hostile, commands=[hostile], notes=[hostile], title=hostile, author=hostile
    )
    page = report_page(story, Words())
    parts = Parts(page)
    assert parts.tags <= TAGS
    assert parts.attributes <= ATTRIBUTES
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_five_thousand_connections_stay_small() -> None:
    page = report_page(crowd(5000, texts=10, broken_every=99), Words())
    assert len(page.encode()) < 5_000_000
    assert page.count("<") < 150_000  # elements cost a browser its time


def test_an_empty_recording_has_a_page_too() -> None:
    page = report_page(nothing(), Words("de"))
    Parts(page)
    assert "Es wurde nichts aufgezeichnet" in page
    assert "<svg" not in page


def test_capture_by_others_has_no_windows_and_says_what_it_is() -> None:
    """The windows of programs that wirecat did not run were not seen."""
    collector = Collector()
    talk = collector.open("c", "s", START)
    collector.turn(talk, START, True, b"x")
    own = report_page(collector.story(), Words("en"))
    assert "The windows" in own
    assert "passed through the program that recorded it" in own
    talk.captured = True
    page = report_page(collector.story(), Words("en"))
    assert "The windows" not in page
    assert "Every byte shown here was captured on the wire" in page
