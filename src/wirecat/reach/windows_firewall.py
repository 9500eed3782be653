"""The firewall of Windows, asked by PowerShell: profiles, and the inbound rules that concern a port or its program.

Written after Microsoft's documentation of the module NetSecurity. An explicit Block rule beats every Allow rule, and
cancelling Windows' question for a new program makes one.
"""

from __future__ import annotations

from ipaddress import ip_network

from wirecat.reach.firewall import FirewallAnswer
from wirecat.reach.packet import LAN, any_of
from wirecat.reach.report import BLOCKED, OK, UNKNOWN
from wirecat.system.command import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.reach.packet import Packet

QUERY = """
$profiles = Get-NetFirewallProfile | Select-Object Name,@{n='Enabled';e={[string]$_.Enabled}},
  @{n='Default';e={[string]$_.DefaultInboundAction}}
$here = Get-NetConnectionProfile | Select-Object InterfaceAlias,@{n='Category';e={[string]$_.NetworkCategory}}
$rules = Get-NetFirewallRule -PolicyStore ActiveStore -Direction Inbound -Enabled True | ForEach-Object {
  $p = $_ | Get-NetFirewallPortFilter; $a = $_ | Get-NetFirewallApplicationFilter
  $s = $_ | Get-NetFirewallAddressFilter
  if ($p.Protocol -in 'TCP','Any') { [pscustomobject]@{ Name=$_.DisplayName; Action=[string]$_.Action;
    Profile=[string]$_.Profile; Ports=@($p.LocalPort); Program=$a.Program; Remote=@($s.RemoteAddress) } } }
@{ Profiles=@($profiles); Here=@($here); Rules=@($rules) } | ConvertTo-Json -Depth 4 -Compress
"""
"""What PowerShell is asked; its answer is one JSON object."""

_CATEGORY_OF = {"DomainAuthenticated": "Domain"}


class WindowsFirewall:
    """Its state as PowerShell told it; None where that could not be read."""

    def __init__(self, state: dict[str, Any] | None, asked: list[str]) -> None:
        self.asked = asked
        self._state = state

    @classmethod
    def read(cls, seconds: float) -> WindowsFirewall:
        """Ask PowerShell."""
        result = run_command(["powershell", "-NoProfile", "-NonInteractive", "-Command", QUERY], seconds)
        return cls(read_state(result.stdout), [f"powershell Get-NetFirewallRule: exit {result.code}"])

    def ask(self, packet: Packet) -> FirewallAnswer:
        """What becomes of ``packet``: Block rules first, then Allow rules, then what the profile does by default."""
        state = self._state
        if state is None:
            return FirewallAnswer(UNKNOWN, "Windows' firewall could not be read", "wf.msc")
        category = next((row.get("Category") for row in state["Here"] if row.get("InterfaceAlias") == packet.interface),
                        None) or next((row.get("Category") for row in state["Here"]), "Public")  # fmt: skip
        profile = _CATEGORY_OF.get(str(category), str(category))
        row: dict[str, Any] = next((each for each in state["Profiles"] if each.get("Name") == profile), {})
        if str(row.get("Enabled")) in ("False", "0"):
            return FirewallAnswer(OK, f"Windows' firewall is switched off for {profile} networks", "")
        doubt = ""
        for action in ("Block", "Allow"):
            for rule in state["Rules"]:
                if rule.get("Action") != action:
                    continue
                matches = _matches(rule, packet, profile)
                if matches and not doubt:
                    if action == "Allow":
                        return FirewallAnswer(OK, f"Windows' firewall lets it in: rule {rule.get('Name')!r}", "")
                    return FirewallAnswer(
                        BLOCKED,
                        f"Windows' firewall blocks it: rule {rule.get('Name')!r}, and a block beats every permission",
                        f"Remove-NetFirewallRule -DisplayName '{str(rule.get('Name')).replace(chr(39), chr(39) * 2)}'",
                    )
                if matches is None or matches:
                    doubt = doubt or str(rule.get("Name"))
        if doubt:
            return FirewallAnswer(UNKNOWN, f"it depends on the program: Windows' rule {doubt!r}", "wf.msc")
        if str(row.get("Default")) == "Allow":
            return FirewallAnswer(OK, f"Windows' firewall lets everything into {profile} networks", "")
        return FirewallAnswer(
            BLOCKED, f"Windows' firewall has no rule that lets port {packet.port} in", _fix(packet, profile)
        )


def read_state(text: str) -> dict[str, Any] | None:
    """The object that PowerShell printed, or None for what is none."""
    import json

    try:
        state = json.loads(text)
    except ValueError:
        return None
    if not isinstance(state, dict):
        return None
    return {
        name: [row for row in state.get(name) or [] if isinstance(row, dict)] for name in ("Profiles", "Here", "Rules")
    }


def _matches(rule: dict[str, Any], packet: Packet, profile: str) -> bool | None:
    """Whether a rule is about ``packet``; None where it depends on which program listens."""
    profiles = [each.strip() for each in str(rule.get("Profile") or "Any").split(",")]
    if "Any" not in profiles and profile not in profiles:
        return False
    if not any(_is_port(str(each), packet.port) for each in _list(rule.get("Ports"))):
        return False
    remote = any_of(_is_remote(str(each), packet) for each in _list(rule.get("Remote")))
    if remote is False:
        return False
    program = str(rule.get("Program") or "Any")
    # Each program has a name of its own; that of this Python is a rule for this kind of server.
    if program != "Any" and not program.lower().replace("\\", "/").rpartition("/")[2].startswith("python"):
        return False
    return remote if program == "Any" else None if remote is None or rule.get("Action") == "Allow" else remote


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else ["Any"] if value in (None, "") else [value]


def _is_port(text: str, port: int) -> bool:
    first, dash, last = text.partition("-")
    if text == "Any":
        return True
    if not first.isdigit() or (dash and not last.isdigit()):
        return False  # RPC and such
    return int(first) <= port <= int(last) if dash else int(first) == port


def _is_remote(text: str, packet: Packet) -> bool | None:
    if text == "Any":
        return True
    if text == "LocalSubnet":
        return packet.region == LAN
    try:
        return packet.comes_from(ip_network(text, strict=False))
    except ValueError:
        return None


def _fix(packet: Packet, profile: str) -> str:
    remote = " -RemoteAddress LocalSubnet" if packet.region == LAN else ""
    return (
        f"New-NetFirewallRule -DisplayName 'wirecat {packet.port}' -Direction Inbound -Protocol TCP "
        f"-LocalPort {packet.port} -Action Allow -Profile {profile}{remote}"
    )
