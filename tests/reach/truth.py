"""What ``wirecat reach`` says in the lab, held against real connections from the neighbour and from outside."""

from __future__ import annotations

import json
from typing import Any

from peers import PATIENCE
from reach.lab.home import PORT, PUBLIC, SERVER, Home

#: Verdicts that say they get in.
OPEN = ("ok", "likely")


def report(home: Home, *arguments: str) -> dict[str, Any]:
    """What ``wirecat reach PORT --json`` prints on the server."""
    ended = home.server.wirecat("reach", str(PORT), "--json", *arguments)
    assert ended.stderr == "", ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    scope = arguments[arguments.index("--scope") + 1] if "--scope" in arguments else "lan"
    expected = {"ok": 0, "likely": 0, "blocked": 1, "unknown": 3}[document["verdict"][scope]]
    assert ended.returncode == expected
    return document


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    """One of its checks."""
    found: dict[str, Any] = next(each for each in document["checks"] if each["name"] == name)
    return found


def hold_against_the_truth(home: Home, document: dict[str, Any]) -> None:
    """No verdict that says "open" where a visible thing blocks, no "blocked" where a connection gets in.

    What cannot be seen from inside (a switch that keeps devices apart) may make a "likely" wrong.
    """
    lan, internet = document["verdict"]["lan"], document["verdict"]["internet4"]
    gets_in = home.neighbour.reaches(SERVER, PORT, PATIENCE if lan in OPEN and "isolate" not in home.variants else 0.6)
    assert not (lan == "blocked" and gets_in), "blocked, and a neighbour gets in"
    assert not (lan in OPEN and not gets_in) or "isolate" in home.variants, "open, and a neighbour does not get in"
    gets_in = home.outside.reaches(PUBLIC, PORT, PATIENCE if internet in OPEN else 0.6)
    assert not (internet == "blocked" and gets_in), "blocked, and somebody outside gets in"
    assert not (internet in OPEN and not gets_in), "open, and nobody outside gets in"
