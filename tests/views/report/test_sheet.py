"""The sheet: all text is escaped and cut to its room; the SVG is well-formed whatever is written on it."""

from __future__ import annotations

import xml.etree.ElementTree as tree

from hypothesis import given
from hypothesis import strategies as st

from views.report.stories import SVG, texts_of
from wirecat.views.report.sheet import MONO_CELL, Sheet


@given(st.binary(max_size=200), st.text(max_size=50))
def test_whatever_is_written_stays_text(data: bytes, text: str) -> None:
    sheet = Sheet(400, text)
    sheet.height = 40
    sheet.data(5, 15, data, "ask", 300, more="9 B")
    sheet.text(5, 30, text, "mono ink", room=200)
    root = tree.fromstring(sheet.svg(standalone=True))
    assert {each.tag for each in root.iter()} <= {f"{SVG}{name}" for name in ("svg", "style", "rect", "text", "tspan")}
    assert all(name in ("x", "y", "class", "text-anchor") for each in root.iter(f"{SVG}text") for name in each.attrib)


def test_data_is_cut_and_its_size_never_is() -> None:
    sheet = Sheet(400, "x")
    sheet.data(5, 15, b"x" * 1000, "ask", 20 * MONO_CELL, more="1.0 kB")
    assert texts_of(sheet.svg()) == ["xxxxxxxxxxxx… 1.0 kB"]


def test_no_text_is_no_element() -> None:
    sheet = Sheet(400, "x")
    sheet.text(1, 1, "")
    assert texts_of(sheet.svg()) == []


def test_shapes() -> None:
    sheet = Sheet(100, "a <b> & c")
    sheet.height = 50
    sheet.line(0, 0.04, 10.26, 5, "thin grid")
    sheet.arrow(0, 5, 50, "line ask-line", "ask")
    sheet.arrow(50, 5, 0, "line ask-line", "ask")
    sheet.box(1, 2, -3, 4, "pale", round=2)
    sheet.boxes([(0, 0, 1, 1), (2, 2, 1, 1)], "ask")
    sheet.boxes([], "ask")
    sheet.path([(0, 0), (1, 1)], "pale", closed=True)
    root = tree.fromstring(sheet.svg())
    paths = [each.attrib["d"] for each in root.iter(f"{SVG}path")]
    assert paths[0] == "M0 0L10.3 5"
    assert paths[2].startswith("M50 5l-8 ")
    assert paths[4].startswith("M0 5l8 ")
    assert paths[5] == "M0 0h1v1h-1zM2 2h1v1h-1z"
    assert paths[6] == "M0 0L1 1z"
    assert next(root.iter(f"{SVG}rect")).attrib["width"] == "0"
    assert root.attrib["aria-label"] == "a <b> & c"


def test_alone_it_brings_its_style_and_ground() -> None:
    sheet = Sheet(100, "x")
    assert "<style>" not in sheet.svg()
    alone = sheet.svg(standalone=True, theme="dark")
    assert "<style>" in alone
    assert 'class="ground"' in alone
    assert 'width="100"' in alone
