"""macOS' application firewall: decided on what its tool prints, in the words that Apple's tool uses."""

from __future__ import annotations

import pytest

from wirecat.reach.macos_firewall import MacosFirewall, application_state
from wirecat.reach.packet import LAN, Packet

ON = "Firewall is enabled. (State = 1)\n"
OFF = "Firewall is disabled. (State = 0)\n"
ALL = "Firewall is set to block all non-essential incoming connections\nBlock all ENABLED!\n"
NOT_ALL = "Block all DISABLED! \n"
APPS = """ALF: total number of apps = 2

1 :  /Applications/Game.app
 \t ( Block incoming connections )

2 :  /usr/local/bin/python3
 \t ( Allow incoming connections )
"""
PACKET = Packet(LAN, "en0", "192.168.1.7", 24, 12345)


@pytest.mark.parametrize(
    ("state", "block_all", "program", "expected"),
    [
        (OFF, NOT_ALL, "/x", "ok"),
        (ON, ALL, "/usr/local/bin/python3", "blocked"),
        (ON, NOT_ALL, "/usr/local/bin/python3", "ok"),
        (ON, NOT_ALL, "/Applications/Game.app", "blocked"),
        (ON, NOT_ALL, "/x", "unknown"),
        ("", "", "/x", "unknown"),
    ],
)
def test_states(state: str, block_all: str, program: str, expected: str) -> None:
    answer = MacosFirewall(state, block_all, APPS, [], program).ask(PACKET)
    assert answer.state == expected
    assert bool(answer.fix) == (expected != "ok")


def test_an_empty_list() -> None:
    assert application_state("", "/x") is None
    assert application_state("1 :  /x\n ( something new )\n", "/x") is None
