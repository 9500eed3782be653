"""A sheet to draw on: collects elements and gives the SVG. All text goes through it, so all text is escaped."""

from __future__ import annotations

from html import escape

from wirecat.views.report.harmless import fitted, harmless, shortened
from wirecat.views.report.style import standalone_css

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MONO_CELL = 7.3
"""Pixels a column of a monospaced font of 12 pixels takes in the widest of the usual ones."""

_SANS_CELL = 6.6  # pixels a letter of a proportional font takes, on the wide side


class Sheet:
    """A picture ``width`` pixels wide; ``height`` grows as its owner says. ``label`` is read out by screen readers."""

    def __init__(self, width: int, label: str) -> None:
        self.width = width
        self.height = 0.0
        self._label = label
        self._parts: list[str] = []

    def text(
        self, x: float, y: float, text: str, kind: str = "ink", *, anchor: str = "", room: float | None = None
    ) -> None:
        """Text with its baseline at (x, y). ``kind`` is its classes, ``anchor`` "middle" or "end".

        With ``room`` it is cut to so many pixels, with an ellipsis.
        """
        if not text:
            return
        safe = harmless(text) if room is None else harmless(text, max(1, int(room / self._cell(kind))))
        where = f' text-anchor="{anchor}"' if anchor else ""
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}" class="{kind}"{where}>{escape(safe)}</text>')

    def caption(self, y: float, lines: Iterable[str]) -> float:
        """Lines of small text below ``y``, over the whole width; where the last one stands."""
        for line in lines:
            y += 16
            self.text(2, y, line, "soft small")
        return y

    def address(self, x: float, y: float, text: str, kind: str, room: float, *, anchor: str = "") -> None:
        """An address, cut in its middle where it needs more than ``room`` pixels, so that its port is always seen."""
        self.text(x, y, shortened(harmless(text), max(1, int(room / self._cell(kind)))), kind, anchor=anchor)

    def data(self, x: float, y: float, data: bytes, kind: str, room: float, *, anchor: str = "", more: str = "") -> int:
        """Bytes of a peer as monospaced text of at most ``room`` pixels; ``more`` is said behind it, never cut.

        The two are elements of their own, so that what is written right to left cannot move the rest.
        """
        cells = max(4, int(room / MONO_CELL) - (len(more) + 1 if more else 0))
        shown = harmless(data, cells)
        text = f"{shown} {more}" if more else shown
        where = f' text-anchor="{anchor}"' if anchor else ""
        inner = escape(fitted(shown, cells))
        if more:
            inner = f'{inner} <tspan class="soft small">{escape(more)}</tspan>'
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}" class="mono {kind}"{where}>{inner}</text>')
        return len(text)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._parts.append(f'<path d="M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" class="{kind}"/>')

    def arrow(self, x1: float, y: float, x2: float, kind: str, head: str) -> None:
        """A level arrow from x1 to x2; ``kind`` is the line's classes, ``head`` the head's."""
        back = 8 if x2 < x1 else -8
        self._parts.append(
            f'<path d="M{_n(x1)} {_n(y)}H{_n(x2 + back * 0.7)}" class="{kind}"/>'
            f'<path d="M{_n(x2)} {_n(y)}l{back} -4v8z" class="{head}"/>'
        )

    def box(self, x: float, y: float, width: float, height: float, kind: str, *, round: float = 0) -> None:
        """A rectangle."""
        corner = f' rx="{_n(round)}"' if round else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" '
            f'class="{kind}"{corner}/>'
        )

    def boxes(self, boxes: Iterable[tuple[float, float, float, float]], kind: str) -> None:
        """Many rectangles of one kind as a single element, which a browser draws far faster."""
        path = "".join(f"M{_n(x)} {_n(y)}h{_n(width)}v{_n(height)}h{_n(-width)}z" for x, y, width, height in boxes)
        if path:
            self._parts.append(f'<path d="{path}" class="{kind}"/>')

    def path(self, points: Iterable[tuple[float, float]], kind: str, *, closed: bool = False) -> None:
        """A line through the points, or the area within."""
        steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        if steps:
            self._parts.append(f'<path d="M{steps}{"z" if closed else ""}" class="{kind}"/>')

    def cell(self, kind: str = "") -> float:
        """Pixels that a letter takes, for whoever reckons whether a text fits."""
        return self._cell(kind)

    def svg(self, *, standalone: bool = False, theme: str | None = None) -> str:
        """The picture. Inside a page it has the page's style; ``standalone`` brings its own, and a ground."""
        height = _n(self.height)
        own = f"<style>{standalone_css(theme)}</style>" if standalone else ""
        # Spaces count in windows and tables; the style says so too, but not every program that draws SVG reads it.
        size = f' width="{self.width}" height="{height}" xml:space="preserve"' if standalone else ""
        ground = f'<rect width="{self.width}" height="{height}" class="ground"/>' if standalone else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="pic" viewBox="0 0 {self.width} {height}"{size} role="img" '
            f'aria-label="{escape(harmless(self._label))}">{own}{ground}{"".join(self._parts)}</svg>'
        )

    @staticmethod
    def _cell(kind: str) -> float:
        size = 11 / 12 if "small" in kind else 1.0
        return (MONO_CELL if "mono" in kind else _SANS_CELL) * size


def _n(value: float) -> str:
    """A coordinate to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
