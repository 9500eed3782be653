"""The first rungs of the ladder, which ask nobody: what on this very PC keeps others from a server that was just started."""

from __future__ import annotations

from wirecat.reach.findings import Findings
from wirecat.reach.firewall import read_firewall
from wirecat.reach.ladder import climb
from wirecat.reach.listening import look_at_listeners
from wirecat.reach.report import BLOCKED, Check
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes

_RUNGS = ("bound", "addresses", "firewall-lan")


def first_rungs(port: int, seconds: float = 3.0) -> list[Check]:
    """The checks that are blocked for the local network; empty where nothing is in the way, or cannot be seen.

    Raises WirecatError where the system does not let its socket table be read.
    """
    interfaces, routes = list_interfaces(), default_routes()
    found = Findings(port, interfaces, routes, look_at_listeners(port, interfaces, []))
    found.ask_firewall(read_firewall(seconds))
    return [check for check in climb(found) if check.name in _RUNGS and check.state == BLOCKED]
