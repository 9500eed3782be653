"""A report as JSON."""

from __future__ import annotations

import json

from wirecat.reach.report import VERDICTS, Check, ReachReport, Verdict
from wirecat.views.json_reach import reach_json


def test_the_document() -> None:
    checks = [Check("listening", "ok", "python3 listens"), Check("bound", "blocked", "127.0.0.1", "bind 0.0.0.0")]
    report = ReachReport(12345, checks, {name: Verdict("blocked", "so") for name in VERDICTS}, [], ["x"])
    text = reach_json(report)
    assert text.endswith("}\n")
    assert json.loads(text) == {
        "port": 12345,
        "checks": [
            {"name": "listening", "state": "ok", "evidence": "python3 listens", "fix": None},
            {"name": "bound", "state": "blocked", "evidence": "127.0.0.1", "fix": "bind 0.0.0.0"},
        ],
        "verdict": dict.fromkeys(("host", "lan", "internet", "internet4", "internet6"), "blocked"),
    }
