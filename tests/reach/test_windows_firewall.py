"""Windows' firewall: decided on what PowerShell prints, in the shape that Microsoft documents."""

from __future__ import annotations

import json

import pytest

from wirecat.reach import windows_firewall
from wirecat.reach.packet import INTERNET, LAN, Packet
from wirecat.reach.windows_firewall import WindowsFirewall, read_state

ALLOW = {"Name": "my server", "Action": "Allow", "Profile": "Private", "Ports": ["12345"], "Program": "Any",
         "Remote": ["LocalSubnet"]}  # fmt: skip
CANCELLED = {"Name": "Python", "Action": "Block", "Profile": "Private, Public", "Ports": ["Any"],
             "Program": "C:\\Python313\\python.exe", "Remote": ["Any"]}  # fmt: skip


PYTHON, JAVA = "C:\\Python313\\python.exe", "C:\\Program Files\\Java\\bin\\java.exe"


def firewall(
    *rules: dict[str, object],
    enabled: str = "True",
    category: str = "Private",
    default: str = "Block",
    programs: tuple[str, ...] = (PYTHON,),
    network: str = "home",
    alias: str = "Wi-Fi",
    **profile: object,
) -> WindowsFirewall:
    """What PowerShell prints of these rules; ``profile`` are more settings of each profile."""
    text = json.dumps({
        "Profiles": [{"Name": name, "Enabled": enabled, "Default": default, **profile}
                     for name in ("Domain", "Private", "Public")],
        "Here": [{"InterfaceAlias": "Ethernet", "Name": "office", "Category": "Public"},
                 {"InterfaceAlias": alias, "Name": network, "Category": category}],
        "Adapters": [{"Name": "Wi-Fi", "Medium": "Native 802.11"}, {"Name": "Ethernet", "Medium": "802.3"}],
        "Rules": list(rules),
    })  # fmt: skip
    return WindowsFirewall(read_state(text), [], list(programs))


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
        ([{**CANCELLED, "Action": "Allow"}], {}, "ok"),
        ([{**CANCELLED, "Action": "Allow"}], {"programs": (JAVA,)}, "blocked"),
        ([{**CANCELLED, "Action": "Allow"}], {"programs": ("python.exe",)}, "unknown"),
        ([{**CANCELLED, "Action": "Allow"}], {"programs": ("node.exe",)}, "blocked"),
        ([{**CANCELLED, "Action": "Allow"}], {"programs": ()}, "unknown"),
        ([{**CANCELLED, "Action": "Allow", "Program": "c:/python313/PYTHON.exe"}], {}, "ok"),
        ([{**CANCELLED, "Program": JAVA}, ALLOW], {"programs": (JAVA,)}, "blocked"),
        ([{**CANCELLED, "Program": JAVA}, ALLOW], {}, "ok"),
        ([CANCELLED, ALLOW], {"programs": (JAVA,)}, "ok"),
        ([CANCELLED, ALLOW], {"programs": ()}, "unknown"),
        ([CANCELLED], {"programs": ()}, "blocked"),
        ([{**ALLOW, "Program": "System"}], {"programs": ("System",)}, "ok"),
        ([{**ALLOW, "Program": "System"}], {}, "blocked"),
        ([{**ALLOW, "InterfaceAlias": ["Ethernet"]}], {}, "blocked"),
        ([{**ALLOW, "InterfaceAlias": ["Ethernet", "wi*"]}], {}, "ok"),
        ([ALLOW, {**CANCELLED, "InterfaceAlias": ["Ethernet"]}], {}, "ok"),
        ([{**ALLOW, "InterfaceType": "Wireless"}], {}, "ok"),
        ([{**ALLOW, "InterfaceType": "Wired"}], {}, "blocked"),
        ([{**ALLOW, "InterfaceType": "RemoteAccess, Wireless"}], {}, "ok"),
        ([ALLOW], {"DisabledInterfaceAliases": ["Ethernet"]}, "ok"),
        ([], {"DisabledInterfaceAliases": ["Wi-Fi"]}, "ok"),
        ([], {"DisabledInterfaceAliases": ["Ethernet"]}, "blocked"),
        ([CANCELLED], {"DisabledInterfaceAliases": "Wi-Fi"}, "ok"),
        ([ALLOW], {"AllowInboundRules": "False"}, "blocked"),
        ([ALLOW], {"AllowInboundRules": "NotConfigured"}, "ok"),
        ([], {"AllowInboundRules": "False", "default": "Allow"}, "blocked"),
        ([{**ALLOW, "Package": "S-1-15-2-1-2-3"}], {}, "blocked"),
        ([{**CANCELLED, "Program": "Any", "Package": "S-1-15-2-1-2-3"}, ALLOW], {}, "ok"),
        (
            [{**ALLOW, "Package": "S-1-15-2-1-2-3"}],
            {"programs": ("C:\\Program Files\\WindowsApps\\x\\x.exe",)},
            "unknown",
        ),
        ([{**ALLOW, "Package": "S-1-15-2-1-2-3"}], {"programs": ()}, "unknown"),
        ([{**ALLOW, "Service": "w3svc"}], {}, "unknown"),
        ([{**ALLOW, "Authentication": "Required"}], {}, "unknown"),
        ([{**ALLOW, "RemotePorts": ["53"]}], {}, "unknown"),
        ([{**ALLOW, "Local": ["192.168.1.7"]}], {}, "ok"),
        ([{**ALLOW, "Local": ["10.0.0.0-10.0.0.9"]}], {}, "blocked"),
        ([ALLOW], {"alias": "VPN"}, "unknown"),
        ([ALLOW], {"network": "Identifying..."}, "unknown"),
        ([ALLOW], {"network": "Identifizierung…"}, "unknown"),
        ([], {"alias": "VPN", "default": "Allow"}, "unknown"),
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


@pytest.mark.parametrize(
    ("remote", "lan", "internet"),
    [
        ("LocalSubnet4", "ok", "blocked"),
        ("LocalSubnet6", "blocked", "blocked"),
        ("localsubnet", "ok", "blocked"),
        ("Internet", "unknown", "ok"),
        ("Intranet", "unknown", "blocked"),
        ("IntranetRemoteAccess", "unknown", "unknown"),
        ("DefaultGateway", "unknown", "blocked"),
        ("DHCP4", "unknown", "blocked"),
        ("DNS", "unknown", "unknown"),
        ("PlayToDevice", "unknown", "blocked"),
        ("192.168.1.0-192.168.1.255", "ok", "blocked"),
        ("192.168.1.0/255.255.255.0", "ok", "blocked"),
        ("192.168.1.10-192.168.1.20", "unknown", "blocked"),
        ("10.0.0.0/8", "blocked", "blocked"),
        ("2001:db8::/32", "blocked", "blocked"),
        ("Any", "ok", "ok"),
    ],
)
def test_addresses_of_a_rule(remote: str, lan: str, internet: str) -> None:
    rule = {**ALLOW, "Remote": [remote]}
    assert (firewall(rule).ask(packet(LAN)).state, firewall(rule).ask(packet(INTERNET)).state) == (lan, internet)


def test_program_that_listens_is_found_by_the_socket_table(monkeypatch: pytest.MonkeyPatch) -> None:
    state = read_state(json.dumps({
        "Profiles": [{"Name": "Private", "Enabled": "True", "Default": "Block"}],
        "Here": [{"InterfaceAlias": "Wi-Fi", "Name": "home", "Category": "Private"}], "Rules": [ALLOW, CANCELLED],
    }))  # fmt: skip
    asked = []

    def programs(port: int, host: str) -> list[str]:
        asked.append((port, host))
        return [JAVA]

    monkeypatch.setattr(windows_firewall, "listening_programs", programs)
    assert WindowsFirewall(state, []).ask(packet()).state == "ok"
    assert asked == [(12345, "192.168.1.7")]
