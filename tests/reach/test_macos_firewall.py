"""macOS' application firewall: decided on what its tool prints, in the words that Apple's tool uses."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from wirecat.reach import macos_firewall
from wirecat.reach.macos_firewall import MacosFirewall, application_state
from wirecat.reach.packet import LAN, Packet

ON = "Firewall is enabled. (State = 1)\n"
OFF = "Firewall is disabled. (State = 0)\n"
ALL = "Firewall is set to block all non-essential incoming connections\nBlock all ENABLED!\n"
ALL_STATE = "Firewall is blocking all non-essential incoming connections. (State = 2)\n"
ALL_OLD_STATE = "Firewall is enabled. (State = 2)\n"
ALL_ENABLED = "Block all ENABLED!\n"
ALL_NEW = "Firewall is set to block all non-essential incoming connections\n"
NOT_ALL = "Block all DISABLED! \n"
NOT_ALL_NEW = "Firewall has block all state set to disabled.\n"
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
        (ON, ALL_NEW, "/usr/local/bin/python3", "blocked"),
        (ON, ALL_ENABLED, "/usr/local/bin/python3", "blocked"),
        (ALL_STATE, "", "/usr/local/bin/python3", "blocked"),
        (ALL_STATE, NOT_ALL_NEW, "/x", "blocked"),
        (ALL_OLD_STATE, "", "/usr/local/bin/python3", "blocked"),
        (ON, NOT_ALL_NEW, "/usr/local/bin/python3", "ok"),
        (ON, NOT_ALL, "/Applications/Game.app/Contents/MacOS/Game", "blocked"),
        (ON, NOT_ALL, "/Applications/Game.app2", "unknown"),
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


def test_program_that_listens_decides_and_not_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the socket table; where that does not tell, the answer is unknown."""
    firewall = MacosFirewall(ON, NOT_ALL, APPS.replace("/usr/local/bin/python3", sys.executable), [])
    for programs, state in (
        (["/Applications/Game.app/Contents/MacOS/Game"], "blocked"),
        ([sys.executable], "ok"),
        ([""], "unknown"),
        ([], "unknown"),
        (["/usr/bin/java", sys.executable], "unknown"),
    ):
        monkeypatch.setattr(macos_firewall, "listening_programs", lambda port, host, programs=programs: programs)
        assert firewall.ask(PACKET).state == state
    monkeypatch.undo()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        packet = Packet(LAN, "lo0", "127.0.0.1", 8, listener.getsockname()[1])
        listed = f"1 :  {os.path.realpath(sys.executable)}\n ( Block incoming connections )\n"
        assert MacosFirewall(ON, NOT_ALL, listed, []).ask(packet).state == "blocked"


def test_an_empty_list() -> None:
    assert application_state("", "/x") is None
    assert application_state("1 :  /x\n ( something new )\n", "/x") is None
