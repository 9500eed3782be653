"""A bar chart in SVG: one bar a contestant, in groups, wirecat's in another colour. Plain, and readable in both "
"themes."""

from __future__ import annotations

from html import escape

from bench.contest import Outcome

_WIDTH = 760
_NAMES = 250  # pixels for the names
_BAR = 18
_ROW = 26
_HEAD = 34
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .head { font-weight: 600 } .note { fill: #57606a }
  .bar { fill: #8c959f } .own { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note { fill: #9198a1 } .bar { fill: #6e7681 } .own { fill: #4493f8 }
  }
"""


def figure(value: float) -> str:
    """A number for people: three figures that count, thousands parted.

    >>> figure(1234567), figure(12.345), figure(0.01234), figure(0)
    ('1,230,000', '12.3', '0.0123', '0')
    """
    if value == 0:
        return "0"
    if abs(value) >= 100:
        digits = len(str(int(abs(value))))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.3g}"


def draw(outcome: Outcome) -> str:
    """The chart of all groups, one below the other, each with a scale of its own."""
    parts: list[str] = []
    top = 40
    for group in outcome.groups:
        parts.append(f'<text class="head" x="8" y="{top + 14}">{escape(group.name)}</text>')
        top += _HEAD - 8
        largest = max((row.median or 0 for row in group.rows), default=0) or 1
        for row in group.rows:
            baseline = top + 14
            parts.append(f'<text x="{_NAMES - 8}" y="{baseline}" text-anchor="end">{escape(row.who)}</text>')
            if row.median is None:
                parts.append(f'<text class="note" x="{_NAMES}" y="{baseline}">{escape(row.why[:60])}</text>')
            else:
                width = (_WIDTH - _NAMES - 110) * row.median / largest
                own = " own" if row.who.startswith("wirecat") else ""
                place = f'x="{_NAMES}" y="{top}" width="{max(width, 1):.1f}" height="{_BAR}"'
                parts.append(f'<rect class="bar{own}" {place} rx="2"/>')
                parts.append(f'<text x="{_NAMES + width + 6:.1f}" y="{baseline}">{figure(row.median)}</text>')
            top += _ROW
        top += 12
    better = "longer is better" if outcome.better == "more" else "shorter is better"
    title = f"{outcome.title}: {outcome.unit} ({better})"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}" '
        f'role="img" aria-label="{escape(title)}">\n<style>{_STYLE}</style>\n'
        f'<text class="head" x="8" y="22">{escape(title)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )
