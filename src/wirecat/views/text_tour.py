"""A tour as text: each step with its number, what it shows, what was seen, and whether it held."""

from __future__ import annotations

from wirecat.views.units import span
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.app.tour import Step, TourResult

_GREEN, _RED, _BOLD, _DIM, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


def step_text(number: int, step: Step, *, colour: bool) -> str:
    """One step, as a paragraph that ends with a line feed."""
    mark = ("ok" if step.held else "FAILED").ljust(2)
    if colour:
        title = f"{_BOLD}{number}. {step.title}{_PLAIN}"
        mark = f"{_GREEN if step.held else _RED}{mark}{_PLAIN}"
        shows = f"{_DIM}{step.shows}{_PLAIN}"
    else:
        title, shows = f"{number}. {step.title}", step.shows
    evidence = "".join(f"     {printable(line)}\n" for line in step.evidence)
    return f"{title}\n   {shows}\n{evidence}   {mark} ({span(step.seconds)})\n\n"


def end_text(result: TourResult, *, seconds: float, report: str | None = None) -> str:
    """The last lines: whether every step held, where the ``report`` lies, and what to do next."""
    lies = "" if report is None else f"A report of it, with pictures: {printable(report)}\n"
    failed = [number for number, step in enumerate(result.steps, 1) if not step.held]
    if failed:
        steps = ", ".join(map(str, failed))
        return f"Not every step held: see {steps}.\n{lies}"
    return (
        f"All {len(result.steps)} steps held, in {span(seconds)}.\n{lies}"
        "Now by hand, in two windows:\n"
        "  wirecat serve reply:'You told me: {data}'\n"
        "  wirecat connect --ask 12345\n"
    )
