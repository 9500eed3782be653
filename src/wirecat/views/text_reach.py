"""What ``reach`` found, as text: a line for each check with its mend, then a sentence for each place others are at."""

from __future__ import annotations

from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.report import ReachReport

_SYMBOLS = {"ok": "✓", "likely": "✓", "warn": "!", "blocked": "✗", "unknown": "?"}
_PLAIN_SYMBOLS = {"ok": "+", "likely": "+", "warn": "!", "blocked": "x", "unknown": "?"}
# Select Graphic Rendition (ECMA-48 section 8.3.117): green, green, yellow, red, blue.
_COLOURS = {"ok": "32", "likely": "32", "warn": "33", "blocked": "31", "unknown": "34"}
_PLACES = {
    "host": "this PC",
    "lan": "the local network",
    "internet4": "the internet (IPv4)",
    "internet6": "the internet (IPv6)",
}
_SENTENCES = {
    "ok": "they get in",
    "likely": "they should get in (not proven)",
    "blocked": "they do not get in",
    "unknown": "unknown",
}


def reach_text(report: ReachReport, *, colour: bool = False, symbols: bool = True) -> str:
    """The report, ending with a line feed. Without ``symbols`` it is ASCII but for what others call themselves."""
    width = max(len(check.name) for check in report.checks)
    lines = []
    for check in report.checks:
        lines.append(f"{_mark(check.state, colour, symbols)} {check.name:<{width}}  {printable(check.evidence)}")
        if check.fix:
            lines.append(f"{'':<10} {'':<{width}}  {'→' if symbols else '->'} {printable(check.fix)}")
    lines.append("")
    wide = max(map(len, _PLACES.values()))
    for place, name in _PLACES.items():
        verdict = report.verdicts[place]
        words = f"{_SENTENCES[verdict.state]}: {printable(verdict.reason)}"
        lines.append(f"{_mark(verdict.state, colour, symbols)} {name:<{wide}}  {words}")
    return "\n".join(lines) + "\n"


def _mark(state: str, colour: bool, symbols: bool) -> str:
    """Symbol and word: colour alone would say nothing to some."""
    text = f"{(_SYMBOLS if symbols else _PLAIN_SYMBOLS)[state]} {state:<8}"
    return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if colour else text
