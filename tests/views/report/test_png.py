"""PNG by the extra: a picture where CairoSVG is there, a plain word where it is not."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from views.report.stories import one_talk
from wirecat.errors import UsageError
from wirecat.views.report.picture_latency import latency_picture
from wirecat.views.report.png import SCALE, png_of
from wirecat.views.report.words import Words


def test_without_the_extra_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "cairosvg":
            raise ModuleNotFoundError(f"No module named {name!r}")
        return original(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'wirecat\[png\]'"):
        png_of(latency_picture(one_talk(), Words()))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture(theme: str) -> None:
    try:
        import cairosvg  # noqa: F401
    except (ImportError, OSError) as error:  # OSError: the library cairo is not there
        pytest.skip(f"the extra png is not there: {error}")
    sheet = latency_picture(one_talk(), Words(), 400)
    data = png_of(sheet, theme)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") == 400 * SCALE
