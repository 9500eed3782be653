"""A picture as PNG, by CairoSVG, which the extra ``png`` brings."""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.views.report.style import MONO, SANS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.views.report.sheet import Sheet

SCALE = 2
"""Pixels of the picture for each of the sheet, for sharp text on today's screens."""


def png_of(sheet: Sheet, theme: str = "light") -> bytes:
    """The picture in the colours of ``theme`` (light, dark).

    Raises UsageError where CairoSVG, or the library cairo that it needs, is not there.
    """
    try:
        import cairosvg  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except (ImportError, OSError) as error:  # OSError: the C library is not there
        hint = "Try: pip install 'wirecat[png]' (and the library cairo), or --format svg"
        raise UsageError(f"PNG needs CairoSVG ({error})", step="report", hint=hint) from error
    # Cairo takes the first family of a list, whether it is there or not.
    svg = sheet.svg(standalone=True, theme=theme).replace(MONO, "monospace").replace(SANS, "sans-serif")
    return bytes(cairosvg.svg2png(bytestring=svg.encode(), scale=SCALE))
