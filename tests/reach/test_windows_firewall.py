"""Windows' firewall: decided on what PowerShell prints, in the shape that Microsoft documents."""

from __future__ import annotations

import json

import pytest

from wirecat.reach.packet import INTERNET, LAN, Packet
from wirecat.reach.windows_firewall import WindowsFirewall, read_state

ALLOW = {"Name": "my server", "Action": "Allow", "Profile": "Private", "Ports": ["12345"], "Program": "Any",
         "Remote": ["LocalSubnet"]}  # fmt: skip
CANCELLED = {"Name": "Python", "Action": "Block", "Profile": "Private, Public", "Ports": ["Any"],
             "Program": "C:\\Python313\\python.exe", "Remote": ["Any"]}  # fmt: skip


def firewall(
    *rules: dict[str, object], enabled: str = "True", category: str = "Private", default: str = "Block"
) -> WindowsFirewall:
    text = json.dumps({
        "Profiles": [{"Name": name, "Enabled": enabled, "Default": default} for name in ("Domain", "Private", "Public")],
        "Here": [{"InterfaceAlias": "Wi-Fi", "Category": category}],
        "Rules": list(rules),
    })  # fmt: skip
    return WindowsFirewall(read_state(text), [])


def packet(region: str = LAN, port: int = 12345) -> Packet:
    return Packet(region, "Wi-Fi", "192.168.1.7", 24, port)


def test_a_rule_for_the_local_network() -> None:
    assert firewall(ALLOW).ask(packet()).state == "ok"
    answer = firewall(ALLOW).ask(packet(INTERNET))
    assert answer.state == "blocked"
    assert answer.fix.endswith("-LocalPort 12345 -Action Allow -Profile Private")
    assert firewall(ALLOW, category="Public").ask(packet()).state == "blocked"
    assert firewall({**ALLOW, "Ports": ["12000-13000"]}).ask(packet()).state == "ok"


def test_a_block_of_python_beats_a_permission() -> None:
    answer = firewall(ALLOW, CANCELLED).ask(packet())
    assert answer.state == "blocked"
    assert answer.fix == "Remove-NetFirewallRule -DisplayName 'Python'"


@pytest.mark.parametrize(
    ("rules", "settings", "state"),
    [
        ([], {}, "blocked"),
        ([], {"enabled": "False"}, "ok"),
        ([], {"default": "Allow"}, "ok"),
        ([{**CANCELLED, "Action": "Allow"}], {}, "unknown"),
        ([{**CANCELLED, "Program": "C:\\game.exe"}], {}, "blocked"),
        ([{**ALLOW, "Ports": "RPC"}], {}, "blocked"),
        ([{**ALLOW, "Remote": "something new"}], {}, "unknown"),
        ([{**ALLOW, "Remote": ["192.168.0.0/16"]}], {"category": "DomainAuthenticated"}, "blocked"),
    ],
)
def test_states(rules: list[dict[str, object]], settings: dict[str, str], state: str) -> None:
    assert firewall(*rules, **settings).ask(packet()).state == state


@pytest.mark.parametrize("text", ["", "[]", "Get-NetFirewallRule : access denied", "3"])
def test_what_cannot_be_read_is_unknown(text: str) -> None:
    assert WindowsFirewall(read_state(text), []).ask(packet()).state == "unknown"
