"""The report as a value: the better of two verdicts, and the states alone."""

from __future__ import annotations

from wirecat.reach.report import BLOCKED, LIKELY, OK, UNKNOWN, Check, ReachReport, Verdict, better


def test_the_better_verdict() -> None:
    ranked = [Verdict(state, "") for state in (OK, LIKELY, UNKNOWN, BLOCKED)]
    for place, one in enumerate(ranked):
        for other in ranked[place:]:
            assert better(one, other) is one
            assert better(other, one) == one


def test_a_report() -> None:
    report = ReachReport(1, [Check("a", OK, "b")], {"lan": Verdict(LIKELY, "why")}, [], [])
    assert report.verdict == {"lan": "likely"}
    assert repr(report) == "ReachReport(port=1, verdict={'lan': 'likely'})"
    assert report.checks[0].fix == ""
