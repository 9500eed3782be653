"""Colours can be read on their ground, in both themes; the page's style sheet has its three media."""

from __future__ import annotations

import pytest

from wirecat.views.report.style import DARK, LIGHT, page_css, picture_css, standalone_css


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [(text, "paper") for text in ("ink", "soft", "ask", "reply", "broken", "end")]
    + [(text, "panel") for text in ("ink", "soft", "ask", "reply")]
    + [(text, "window") for text in ("said", "typed", "dim")],
)
def test_text_can_be_read(colours: dict[str, str], text: str, ground: str) -> None:
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_both_themes_have_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK)
    assert picture_css(LIGHT) != picture_css(DARK)


def test_a_theme_may_be_left_to_the_reader() -> None:
    assert "prefers-color-scheme" in standalone_css(None)
    assert "prefers-color-scheme" not in standalone_css("light")
    assert DARK["paper"] in standalone_css("dark")


def test_the_page_is_for_phone_laptop_and_paper() -> None:
    css = page_css()
    assert "@media screen and (prefers-color-scheme:dark)" in css  # paper stays light
    assert "@media print" in css
    assert "@media(max-width:640px)" in css
    assert css.count("{") == css.count("}")
    assert "url(" not in css
    assert "@import" not in css
