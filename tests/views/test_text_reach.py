"""A report as text: words beside every symbol and colour, and nothing that a router could smuggle in."""

from __future__ import annotations

from wirecat.reach.report import VERDICTS, Check, ReachReport, Verdict
from wirecat.views.text_reach import reach_text

CHECKS = [
    Check("listening", "ok", "python3 listens"),
    Check("firewall-lan", "blocked", "a rule\x1b[2J drops it", "nft insert rule"),
    Check("protocols", "warn", "closed"),
    Check("outside", "unknown", "nobody asked", "--from-peer"),
]
STATES = dict(zip(VERDICTS, ("likely", "blocked", "ok", "unknown", "ok"), strict=True))
REPORT = ReachReport(
    12345, CHECKS, {name: Verdict(state, f"because of {name}") for name, state in STATES.items()}, [], []
)


def test_checks_then_verdicts() -> None:
    lines = reach_text(REPORT).splitlines()
    assert lines[0].split() == ["✓", "ok", "listening", "python3", "listens"]
    assert lines[1].split()[:3] == ["✗", "blocked", "firewall-lan"]
    assert lines[2].split() == ["→", "nft", "insert", "rule"]
    assert "✗ blocked  the local network    they do not get in: because of lan" in lines[-3]
    assert "likely" in lines[-4]
    assert "not proven" in lines[-4]
    assert "internet (IPv6)" in lines[-1]


def test_nothing_gets_through_to_the_terminal() -> None:
    assert "\x1b" not in reach_text(REPORT)
    assert "\\x1b[2J" in reach_text(REPORT)


def test_plain_and_coloured() -> None:
    assert reach_text(REPORT, symbols=False).isascii()
    coloured = reach_text(REPORT, colour=True)
    assert "\x1b[31m✗ blocked" in coloured
    assert coloured.count("\x1b[") == 2 * (len(CHECKS) + 4)
