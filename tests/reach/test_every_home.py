"""Every variant of the lab and useful pairs of them: what reach says of both places, what a peer proves, what is true.

Run by ``make lab``. The truth is a real connection from the neighbour and from outside, made while the server runs.
"""

from __future__ import annotations

import pytest

from peers import PATIENCE
from reach.campaign import LONG
from reach.lab.home import NEIGHBOUR, OUTSIDE, PORT, PUBLIC, SERVER, Home
from reach.lab.namespaces import Host
from reach.truth import hold_against_the_truth, report
from wirecat.reach.peer_server import PeerServer

pytestmark = LONG

L, U, B = "likely", "unknown", "blocked"

#: Variants; the verdicts for the local network and the internet; who really gets in: from there, from outside.
CASES: list[tuple[tuple[str, ...], str, str, bool, bool]] = [
    ((), L, U, True, False),
    (("igd1",), L, U, True, False),
    (("natpmp-only",), L, U, True, False),
    (("natpmp-only", "pcp-refused"), L, U, True, False),
    (("upnp-only",), L, U, True, False),
    (("upnp-off",), L, U, True, False),
    (("link-local",), L, U, True, False),
    (("static",), L, U, True, True),
    (("upnp-off", "static"), L, U, True, True),
    (("hairpin",), L, U, True, True),
    (("cgnat",), L, B, True, False),
    (("cgnat", "upnp-only"), L, B, True, False),
    (("cgnat", "igd1", "upnp-only"), L, B, True, False),
    (("cgnat", "natpmp-only"), L, B, True, False),
    (("cgnat", "natpmp-only", "pcp-refused"), L, B, True, False),
    (("cgnat", "upnp-off"), L, U, True, False),
    (("cgnat", "static"), L, B, True, False),
    (("doublenat",), L, B, True, False),
    (("doublenat", "upnp-only"), L, B, True, False),
    (("doublenat", "natpmp-only"), L, B, True, False),
    (("doublenat", "static"), L, B, True, False),
    (("hostfw",), B, B, False, False),
    (("hostfw", "static"), B, B, False, False),
    (("hostfw", "cgnat"), B, B, False, False),
    (("hostfw", "upnp-only"), B, B, False, False),
    (("hostfw-reject",), B, B, False, False),
    (("hostfw-reject", "static"), B, B, False, False),
    (("hostfw-open",), L, U, True, False),
    (("hostfw-open", "static"), L, U, True, True),
    (("hostfw-open", "cgnat"), L, B, True, False),
    (("hostfw-open", "upnp-only"), L, U, True, False),
    (("hostfw-open", "hostfw-reject", "static"), L, U, True, True),
    (("hostfw-lan",), L, B, True, False),
    (("hostfw-lan", "static"), L, B, True, False),
    (("hostfw-lan", "doublenat"), L, B, True, False),
    (("isolate",), L, U, False, False),
    (("isolate", "static"), L, U, False, True),
    (("isolate", "hostfw-open"), L, U, False, False),
    (("isolate", "cgnat"), L, B, False, False),
    (("isolate", "hostfw"), B, B, False, False),
]


def ids(value: object) -> str | None:
    return "+".join(value) or "base" if isinstance(value, tuple) else None


@pytest.mark.parametrize(("variants", "lan", "internet", "neighbour", "outside"), CASES, ids=ids)
def test_what_is_said_is_true(
    variants: tuple[str, ...], lan: str, internet: str, neighbour: bool, outside: bool
) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        document = report(home)
        verdicts = document["verdict"]
        assert (verdicts["lan"], verdicts["internet"], verdicts["internet4"]) == (lan, internet, internet)
        # Last: a connection that came is a proof, and would be the verdict.
        assert home.neighbour.reaches(SERVER, PORT, PATIENCE if neighbour else 0.5) is neighbour
        assert home.outside.reaches(PUBLIC, PORT, PATIENCE if outside else 0.5) is outside


@pytest.mark.parametrize(("variants", "lan", "internet", "neighbour", "outside"), CASES, ids=ids)
def test_what_a_peer_proves_is_true(
    variants: tuple[str, ...], lan: str, internet: str, neighbour: bool, outside: bool
) -> None:
    with Home(*variants) as home, home.server.listen(PORT):
        for host, address, name, gets_in in (
            (home.neighbour, NEIGHBOUR, "lan", neighbour),
            (home.outside, OUTSIDE, "internet4", outside),
        ):
            assert proven(home, host, address)[name] == ("ok" if gets_in else "blocked")


def proven(home: Home, host: Host, address: str) -> dict[str, str]:
    """The verdicts with a peer on ``host``."""
    with host.inside(lambda: PeerServer()):
        verdicts: dict[str, str] = report(home, "--from-peer", address)["verdict"]
    return verdicts


@pytest.mark.parametrize("variants", [(), ("static",), ("cgnat",), ("hostfw-open",), ("upnp-only",)], ids=ids)
def test_a_server_for_this_pc_only(variants: tuple[str, ...]) -> None:
    with Home(*variants) as home, home.server.listen(PORT, "127.0.0.1"):
        document = report(home)
        hold_against_the_truth(home, document)
        assert (document["verdict"]["lan"], document["verdict"]["internet"]) == (B, B)
        assert proven(home, home.neighbour, NEIGHBOUR)["lan"] == B
        assert proven(home, home.outside, OUTSIDE)["internet4"] == B
