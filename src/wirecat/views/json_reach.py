"""What ``reach`` found, as one JSON object: the port, the checks in order, and the verdicts."""

from __future__ import annotations

from wirecat.views.json_text import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.report import ReachReport


def reach_json(report: ReachReport) -> str:
    """``{"port", "checks": [{"name", "state", "evidence", "fix"}], "verdict": {…}}``, ending with a line feed.

    A ``fix`` is null where nothing is to be done. ``verdict`` has ``host``, ``lan``, ``internet``, ``internet4`` and
    ``internet6``: ok, likely, blocked or unknown.
    """
    document = {
        "port": report.port,
        "checks": [
            {"name": check.name, "state": check.state, "evidence": check.evidence, "fix": check.fix or None}
            for check in report.checks
        ],
        "verdict": report.verdict,
    }
    return json_text(document, indent=1) + "\n"
