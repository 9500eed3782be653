"""What was found out about reaching a port: checks with their evidence, and a verdict for each place others are at.

States are words: ``ok`` (proven, or in order), ``likely`` (verdicts only: all was looked at, nothing is in the way),
``warn``, ``blocked`` and ``unknown``. A guess is never shown as a fact: what was not seen is unknown.
"""

from __future__ import annotations

from wirecat.immutable import Immutable

OK, LIKELY, WARN, BLOCKED, UNKNOWN = "ok", "likely", "warn", "blocked", "unknown"

SCOPES = ("host", "lan", "internet")
"""The places from which others may come: this PC, the local network, everywhere."""

VERDICTS = ("host", "lan", "internet", "internet4", "internet6")

# The better first: what one family cannot do, the other may.
_BETTER = (OK, LIKELY, UNKNOWN, BLOCKED)


class Check(Immutable):
    """One rung of the ladder: ``state`` (ok, warn, blocked, unknown), one line of ``evidence``, and ``fix``, the command
    or the step that mends it or finds out ("" where nothing is to be done).
    """

    __slots__ = ("name", "state", "evidence", "fix")

    name: str
    state: str
    evidence: str
    fix: str

    def __init__(self, name: str, state: str, evidence: str, fix: str = "") -> None:
        self._set(name=name, state=state, evidence=evidence, fix=fix)


class Verdict(Immutable):
    """Whether others get in from one place: ``state`` (ok, likely, blocked, unknown) and a ``reason`` in words."""

    __slots__ = ("state", "reason")

    state: str
    reason: str

    def __init__(self, state: str, reason: str) -> None:
        self._set(state=state, reason=reason)


def better(one: Verdict, other: Verdict) -> Verdict:
    """The better of two verdicts; of equal ones the first."""
    return one if _BETTER.index(one.state) <= _BETTER.index(other.state) else other


class ReachReport:
    """What ``wirecat.reach`` found: ``port``, the ``checks`` in order, a Verdict for each name of VERDICTS.

    ``addresses`` are what to give to others on the local network, ``asked`` what was sent to whom, and what came back.
    """

    __slots__ = ("addresses", "asked", "checks", "port", "verdicts")

    def __init__(
        self, port: int, checks: list[Check], verdicts: dict[str, Verdict], addresses: list[str], asked: list[str]
    ) -> None:
        self.port = port
        self.checks = checks
        self.verdicts = verdicts
        self.addresses = addresses
        self.asked = asked

    @property
    def verdict(self) -> dict[str, str]:
        """The states alone: ``{"host": …, "lan": …, "internet": …, "internet4": …, "internet6": …}``."""
        return {name: verdict.state for name, verdict in self.verdicts.items()}

    def __repr__(self) -> str:
        return f"ReachReport(port={self.port}, verdict={self.verdict})"
