"""The page: every benchmark's table and chart, what was to be reached and what was, and how to do it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.chart import draw, figure
from bench.contest import Group, Outcome, Row
from bench.targets import REMARKS, TARGETS, Outcomes

_HEAD = """# Benchmarks

Written by `make bench`. Everything on this page was measured side by side: in each round every contestant has its turn,
each round begins with another one, and a figure is the median of the rounds. A server has one core and the load
another, where nothing else is said. Ratios are medians of the rounds' own ratios, since a machine drifts. The load
never comes from the code that is measured: it is a program in C (`bench/yardsticks/`).
"""
_AGAIN = """## How to repeat it
```
make bench                    # all of it: about 20 minutes, on a machine with nothing else to do
make bench ONLY="echo swarm"  # some of it; the rest of the page stays as it was
make bench QUICK=1            # a short run that shows that everything runs; its page goes to build/bench
```
It needs Python, `make` and a C compiler; peers that are not installed are left out, and named. On Debian:
`apt install gcc ncat netcat-openbsd socat iperf3 iproute2`.
"""


def write(folder: Path, outcomes: Outcomes) -> Path:
    """Write ``benchmarks.md``, and a chart for each outcome beside it."""
    charts = folder / "benchmarks"
    charts.mkdir(parents=True, exist_ok=True)
    for name, outcome in outcomes.items():
        (charts / f"{name}.svg").write_text(draw(outcome), encoding="utf-8")
    path = folder / "benchmarks.md"
    path.write_text("\n".join(_lines(outcomes)) + "\n", encoding="utf-8")
    return path


def _lines(outcomes: Outcomes) -> Iterator[str]:
    yield _HEAD
    if any(outcome.quick for outcome in outcomes.values()):
        yield "**A quick run: one short round each. These figures say that it runs, and nothing else.**\n"
    yield from _targets(outcomes)
    for outcome in outcomes.values():
        yield from _section(outcome)
    yield from _machine(outcomes)
    yield _AGAIN.rstrip()


def _targets(outcomes: Outcomes) -> Iterator[str]:
    yield "## What was to be reached"
    yield "| work | against | asked for | measured | |"
    yield "| --- | --- | --- | --- | --- |"
    remarks = []
    for target in TARGETS:
        value = target.value(outcomes)
        asked = f"{'≥' if target.least else '≤'} {figure(target.bound)}"
        measured, verdict = "–", "not measured"
        if value is not None:
            measured = figure(value)
            verdict = "reached"
            if not target.reached(value):
                short = abs(value - target.bound) / target.bound if target.bound else value
                verdict = f"**not reached**, by {short:.0%}" if target.bound else f"**not reached**, by {short:g}"
                remarks.append(f"- **{target.work}**: {REMARKS.get(target.work, 'no reason is known yet.')}")
        yield f"| {target.work} | {target.against} | {asked} | {measured} | {verdict} |"
    yield ""
    if remarks:
        yield "Where it was not reached, why, and what was tried:\n"
        yield from dict.fromkeys(remarks)
        yield ""


def _section(outcome: Outcome) -> Iterator[str]:
    yield f"## {outcome.title}"
    yield f"{outcome.about}\n"
    yield f"![{outcome.title}](benchmarks/{outcome.name}.svg)\n"
    for group in outcome.groups:
        yield from _table(outcome, group)


def _table(outcome: Outcome, group: Group) -> Iterator[str]:
    measured = [row for row in group.rows if row.values]
    if measured:
        columns = list(dict.fromkeys(name for row in measured for name in row.more))
        yield f"| {group.name} | {outcome.unit} | least – most | {''.join(f'{name} | ' for name in columns)}".rstrip()
        yield "| --- " * (3 + len(columns)) + "|"
        for row in measured:
            spread = f"{figure(min(row.values))} – {figure(max(row.values))}"
            more = "".join(f" {_median(row, name)} |" for name in columns)
            yield f"| {row.who} | {figure(row.median or 0)} | {spread} |{more}"
        yield ""
    for row in group.rows:
        if not row.values:
            yield f"- {row.who} ({group.name}) is left out: {row.why}."
    if len(measured) < len(group.rows):
        yield ""


def _median(row: Row, column: str) -> str:
    import statistics

    values = row.more.get(column)
    return figure(statistics.median(values)) if values else "–"


def _machine(outcomes: Outcomes) -> Iterator[str]:
    yield "## The machine"
    machines = [outcome.machine for outcome in outcomes.values() if outcome.machine]
    if machines:
        yield "| | |"
        yield "| --- | --- |"
        for name, value in machines[-1].items():
            yield f"| {name} | {value} |"
        times = sorted({machine["time"] for machine in machines})
        if len(times) > 1:
            yield f"\nThe benchmarks were run between {times[0]} and {times[-1]}."
    yield ""
