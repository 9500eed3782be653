"""The verb ``reach``: can others get to a port of this PC, and if not, what is in the way."""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.port_mapping.exchange import run_at_once
from wirecat.port_mapping.records import is_kept, read_records
from wirecat.reach.findings import Findings
from wirecat.reach.judgement import judge
from wirecat.reach.ladder import climb
from wirecat.reach.listening import look_at_listeners
from wirecat.reach.report import ReachReport
from wirecat.reach.router import look_at_router
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes

# Seconds for all questions together; with what starts and ends around them it stays under five.
DEFAULT_TIMEOUT = 3.5

#: Seconds for the firewall, which is asked on this machine alone; half a second is usual. The whole stays under five.
FIREWALL_TIMEOUT = 4.0


def reach(
    port: int, *, probe_path: bool = False, from_peer: str | None = None, timeout: float = DEFAULT_TIMEOUT
) -> ReachReport:
    """Find out who can connect to TCP ``port`` of this PC: programs on it, the local network, the internet.

    Changes nothing, and asks nobody but this PC and its router, all at once and for at most ``timeout`` seconds;
    ``probe_path`` lets one datagram die at the second router on the way out, to learn who that is. The server itself is
    not connected to.

    ``from_peer`` is ``HOST`` or ``HOST:PORT`` of a PC where ``wirecat reach --serve-peer`` runs: it is asked to connect to
    the port, and what comes of that is proof, for the place where that PC is.

    Raises UsageError (a port that cannot be) and WirecatError (the system does not let its socket table be read).
    """
    return conclude(find(port, probe_path=probe_path, from_peer=from_peer, timeout=timeout))


def _peer(text: str) -> tuple[str, int]:
    """Host and port of a peer; an IPv6 address without a port needs no brackets."""
    from wirecat.reach.peer_server import DEFAULT_PORT

    host, colon, port = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1], DEFAULT_PORT
    if not colon or (":" in host and not host.startswith("[")):
        return text, DEFAULT_PORT
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536 and host):
        raise UsageError(f"a peer is HOST or HOST:PORT, not {text!r}", step="reach")
    return host.strip("[]"), int(port)


def find(
    port: int, *, probe_path: bool = False, from_peer: str | None = None, timeout: float = DEFAULT_TIMEOUT
) -> Findings:
    """Look at everything that can be looked at; ``conclude`` makes a report of it."""
    peer = None if from_peer is None else _peer(from_peer)
    if not 1 <= port <= 65535:
        raise UsageError(f"a port is 1 to 65535, not {port}", step="reach")
    interfaces, routes = list_interfaces(), default_routes()
    gateways = [route.gateway for route in routes]
    found = Findings(port, interfaces, routes, look_at_listeners(port, interfaces, gateways))
    for mapping in read_records():
        entry = found.lan[mapping.family]
        known = any(route.gateway == mapping.gateway for route in routes if route.family == mapping.family)
        if mapping.port == port and entry is not None and entry.host == mapping.host and known and is_kept(mapping):
            found.exposed[mapping.family] = (mapping.external_host, mapping.external_port)
    tasks = [lambda: _ask_firewall(found, timeout)]
    own = found.lan["ipv4"]
    if found.gateway and own is not None:
        host = own.host
        tasks.append(lambda: _ask_router(found, host, timeout))
    if peer is not None:
        host_there, port_there = peer
        tasks.append(lambda: _ask_peer(found, host_there, port_there))
    if probe_path:
        tasks.append(lambda: _probe_path(found, timeout))
    run_at_once(tasks)
    return found


def conclude(found: Findings) -> ReachReport:
    """Checks and verdicts."""
    addresses = [
        f"[{entry.host}]:{found.port}" if entry.family == "ipv6" else f"{entry.host}:{found.port}"
        for entry in found.lan.values()
        if entry is not None and found.listening.takes(entry)
    ]
    asked = found.asked + (found.router.asked if found.router is not None else [])
    return ReachReport(found.port, climb(found), judge(found), addresses, asked)


def _ask_firewall(found: Findings, timeout: float) -> None:
    from wirecat.reach.firewall import read_firewall

    found.ask_firewall(read_firewall(max(timeout, FIREWALL_TIMEOUT)))


def _ask_router(found: Findings, own_host: str, timeout: float) -> None:
    found.router = look_at_router(found.gateway, own_host, found.port, timeout)


def _ask_peer(found: Findings, host: str, port: int) -> None:
    from wirecat.reach.peer_client import ask_peer

    found.proof = ask_peer(found, host, port)
    found.asked.append(found.proof.words)


def _probe_path(found: Findings, timeout: float) -> None:
    from wirecat.reach.second_hop import TARGET, second_hop

    try:
        hop = second_hop(min(timeout, 2.0))
        found.hop = None if hop == found.gateway else hop
    except OSError as error:
        found.asked.append(f"two hops towards {TARGET}: {error.strerror or error}")
    else:
        found.asked.append(f"two hops towards {TARGET}: {found.hop or 'no answer'}")
