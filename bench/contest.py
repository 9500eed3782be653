"""A contest: every contestant has its turn in every round, so that a machine that drifts drifts for all of them."""

from __future__ import annotations

import statistics
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


class Skipped(Exception):
    """This cannot be measured here: something is not installed, or does not exist yet. The text says what."""


@dataclass
class Sample:
    """One measurement: the value that counts, and what else was seen (a name and a number each)."""

    value: float
    more: dict[str, float] = field(default_factory=dict)


@dataclass
class Row:
    """All measurements of one contestant in one group, in the order of the rounds; ``why`` there are none."""

    who: str
    values: list[float] = field(default_factory=list)
    more: dict[str, list[float]] = field(default_factory=dict)
    why: str = ""

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values else None


@dataclass
class Group:
    """Contestants that were measured side by side."""

    name: str
    rows: list[Row]

    def row(self, who: str) -> Row | None:
        return next((row for row in self.rows if row.who == who), None)


@dataclass
class Outcome:
    """What one benchmark found. ``better`` is ``more`` or ``less``; ``about`` says how it was measured."""

    name: str
    title: str
    about: str
    unit: str
    better: str
    groups: list[Group]
    quick: bool = False
    machine: dict[str, str] = field(default_factory=dict)

    def group(self, name: str) -> Group | None:
        return next((group for group in self.groups if group.name == name), None)

    def ratio(self, group: str, who: str, other: str, *, column: str = "") -> float | None:
        """The median of the rounds' ratios of ``who`` to ``other``; None where one of them was not measured."""
        found = self.group(group)
        mine, yours = (found.row(each) if found else None for each in (who, other))
        if mine is None or yours is None:
            return None
        pairs = zip(_column(mine, column), _column(yours, column), strict=False)
        ratios = [one / two for one, two in pairs if two]
        return statistics.median(ratios) if ratios else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Outcome:
        groups = [Group(group["name"], [Row(**row) for row in group["rows"]]) for group in plain["groups"]]
        return cls(**{**plain, "groups": groups})


def _column(row: Row, name: str) -> list[float]:
    return row.more.get(name, []) if name else row.values


Measure = Callable[[], Sample]


def compete(name: str, contestants: Sequence[tuple[str, Measure]], rounds: int) -> Group:
    """Let all contestants measure in turns. Each round begins with another one, so that nobody is always first.

    One that cannot be measured, or fails, is a row without values that says why; the others go on.
    """
    group = Group(name, [Row(who) for who, _ in contestants])
    for number in range(rounds):
        for offset in range(len(contestants)):
            index = (number + offset) % len(contestants)
            row, (who, measure) = group.rows[index], contestants[index]
            if row.why:
                continue
            try:
                sample = measure()
            except Skipped as reason:
                row.why = str(reason)
                continue
            except Exception as error:  # a peer that breaks must not cost the results of the others
                row.why = f"failed: {type(error).__name__}: {error}"
                print(f"    {who}: {row.why}", file=sys.stderr)
                traceback.print_exception(error, file=sys.stderr)
                continue
            row.values.append(sample.value)
            for key, value in sample.more.items():
                row.more.setdefault(key, []).append(value)
            print(f"    {name}: {who}: {sample.value:,.5g}", file=sys.stderr, flush=True)
    return group
