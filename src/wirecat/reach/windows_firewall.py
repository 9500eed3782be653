"""The firewall of Windows, asked by PowerShell: profiles, and the inbound rules that concern a port or its program.

Written after Microsoft's documentation of the module NetSecurity. An explicit Block rule beats every Allow rule, and
cancelling Windows' question for a new program makes one. Rules count for the program that listens.
"""

from __future__ import annotations

import ntpath
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from wirecat.errors import WirecatError
from wirecat.reach.firewall import FirewallAnswer
from wirecat.reach.listening import listening_programs
from wirecat.reach.packet import LAN, all_of, any_of
from wirecat.reach.report import BLOCKED, OK, UNKNOWN
from wirecat.system.command import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.reach.packet import Packet

QUERY = """
function Table($filters) { $t = @{}; foreach ($f in $filters) { $t[$f.InstanceID] = $f }; $t }
$s = 'ActiveStore'
$profiles = Get-NetFirewallProfile -PolicyStore $s | Select-Object Name,@{n='Enabled';e={[string]$_.Enabled}},
  @{n='Default';e={[string]$_.DefaultInboundAction}},@{n='AllowInboundRules';e={[string]$_.AllowInboundRules}},
  @{n='DisabledInterfaceAliases';e={@($_.DisabledInterfaceAliases)}}
$here = Get-NetConnectionProfile | Select-Object InterfaceAlias,Name,@{n='Category';e={[string]$_.NetworkCategory}}
$adapters = Get-NetAdapter | Select-Object Name,@{n='Medium';e={[string]$_.PhysicalMediaType}}
$p = Table (Get-NetFirewallPortFilter -PolicyStore $s); $a = Table (Get-NetFirewallApplicationFilter -PolicyStore $s)
$h = Table (Get-NetFirewallAddressFilter -PolicyStore $s); $i = Table (Get-NetFirewallInterfaceFilter -PolicyStore $s)
$t = Table (Get-NetFirewallInterfaceTypeFilter -PolicyStore $s); $v = Table (Get-NetFirewallServiceFilter -PolicyStore $s)
$u = Table (Get-NetFirewallSecurityFilter -PolicyStore $s)
$rules = Get-NetFirewallRule -PolicyStore $s -Direction Inbound -Enabled True | ForEach-Object {
  $k = $_.InstanceID
  if ($p[$k].Protocol -in 'TCP','6','Any') { [pscustomobject]@{ Name=$_.DisplayName; Action=[string]$_.Action;
    Profile=[string]$_.Profile; Ports=@($p[$k].LocalPort); RemotePorts=@($p[$k].RemotePort); Program=$a[$k].Program;
    Package=$a[$k].Package; Service=$v[$k].Service; Remote=@($h[$k].RemoteAddress); Local=@($h[$k].LocalAddress);
    InterfaceAlias=@($i[$k].InterfaceAlias); InterfaceType=[string]$t[$k].InterfaceType;
    Authentication=[string]$u[$k].Authentication; LocalUser=$u[$k].LocalUser; RemoteUser=$u[$k].RemoteUser } } }
@{ Profiles=@($profiles); Here=@($here); Adapters=@($adapters); Rules=@($rules) } | ConvertTo-Json -Depth 4 -Compress
"""
"""What PowerShell is asked; its answer is one JSON object. The filters are read all at once: one by one takes minutes."""

_SECONDS = 10.0  # PowerShell alone takes one or two to start
_CATEGORY_OF = {"DomainAuthenticated": "Domain"}
_MANY = ("Any", "*", "", "None", "NotConfigured")

# What keywords of RemoteAddress (New-NetFirewallRule) say of a sender on the local network, and of one on the internet.
# The servers that DNS and the like stand for are single machines; which networks are the intranet, a domain decides.
_KEYWORDS: dict[str, tuple[bool | None, bool | None]] = {
    "localsubnet": (True, False),
    "internet": (None, True),
    "intranet": (None, False),
    "intranetremoteaccess": (None, None),
    "remoteintranet": (None, None),
    "rmtintranet": (None, None),
    "ply2renders": (None, False),
    "playtodevice": (None, False),
    "captiveportal": (None, None),
    "dns": (None, None),
    "dhcp": (None, False),
    "wins": (None, False),
    "defaultgateway": (None, False),
}


class WindowsFirewall:
    """Its state as PowerShell told it; None where that could not be read.

    ``programs`` are the programs that listen; without them the socket table is asked for each packet's port.
    """

    def __init__(self, state: dict[str, Any] | None, asked: list[str], programs: list[str] | None = None) -> None:
        self.asked = asked
        self._state = state
        self._programs = programs

    @classmethod
    def read(cls, seconds: float) -> WindowsFirewall:
        """Ask PowerShell."""
        command = ["powershell", "-NoProfile", "-NonInteractive", "-Command", QUERY]
        result = run_command(command, max(seconds, _SECONDS))
        return cls(read_state(result.stdout), [f"powershell Get-NetFirewallRule: exit {result.code}"])

    def ask(self, packet: Packet) -> FirewallAnswer:
        """What becomes of ``packet``: Block rules first, then Allow rules, then what the profile does by default."""
        state = self._state
        if state is None:
            return FirewallAnswer(UNKNOWN, "Windows' firewall could not be read", "wf.msc")
        network = next((row for row in state["Here"] if _same(row.get("InterfaceAlias"), packet.interface)), None)
        if network is None or str(network.get("Name") or "").rstrip().endswith(("...", "…")):
            return FirewallAnswer(
                UNKNOWN, f"Windows has not identified the network of {packet.interface} yet, which decides the profile",
                "Get-NetConnectionProfile",
            )  # fmt: skip
        profile = _CATEGORY_OF.get(str(network.get("Category")), str(network.get("Category")))
        row: dict[str, Any] = next((each for each in state["Profiles"] if each.get("Name") == profile), {})
        if str(row.get("Enabled")) in ("False", "0"):
            return FirewallAnswer(OK, f"Windows' firewall is switched off for {profile} networks", "")
        if any(_same(alias, packet.interface) for alias in _list(row.get("DisabledInterfaceAliases"))):
            return FirewallAnswer(OK, f"Windows' firewall is switched off on {packet.interface}", "")
        if str(row.get("AllowInboundRules")) in ("False", "0"):
            return FirewallAnswer(
                BLOCKED, f"Windows' firewall blocks all incoming connections in {profile} networks, whatever its rules say",
                f"Set-NetFirewallProfile -Profile {profile} -AllowInboundRules True",
            )  # fmt: skip
        return self._ask_rules(state, packet, profile, str(row.get("Default")) == "Allow")

    def _ask_rules(self, state: dict[str, Any], packet: Packet, profile: str, default: bool) -> FirewallAnswer:
        programs = self._find_programs(packet)
        answers = [(rule, _matches(rule, packet, profile, programs, state)) for rule in state["Rules"]]
        certain = {action: _first(answers, action, True) for action in ("Block", "Allow")}
        doubtful = {action: _first(answers, action, None) for action in ("Block", "Allow")}
        if (rule := certain["Block"]) is not None:
            return FirewallAnswer(
                BLOCKED,
                f"Windows' firewall blocks it: rule {rule.get('Name')!r}, and a block beats every permission",
                f"Remove-NetFirewallRule -DisplayName '{str(rule.get('Name')).replace(chr(39), chr(39) * 2)}'",
            )
        rule = certain["Allow"]
        gets_in = rule is not None or default
        doubt = doubtful["Block"] if gets_in else doubtful["Allow"]
        if doubt is not None:
            words = f"whether Windows' rule {doubt.get('Name')!r} is about this connection cannot be seen"
            return FirewallAnswer(UNKNOWN, words + _unseen(programs), "wf.msc")
        if rule is not None:
            return FirewallAnswer(OK, f"Windows' firewall lets it in: rule {rule.get('Name')!r}", "")
        if default:
            return FirewallAnswer(OK, f"Windows' firewall lets everything into {profile} networks", "")
        return FirewallAnswer(
            BLOCKED, f"Windows' firewall has no rule that lets port {packet.port} in", _fix(packet, profile)
        )

    def _find_programs(self, packet: Packet) -> list[str]:
        if self._programs is not None:
            return self._programs
        try:
            return listening_programs(packet.port, str(packet.destination))
        except WirecatError:
            return []


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
        name: [row for row in _list(state.get(name)) if isinstance(row, dict)]
        for name in ("Profiles", "Here", "Adapters", "Rules")
    }


def _first(
    answers: list[tuple[dict[str, Any], bool | None]], action: str, wanted: bool | None
) -> dict[str, Any] | None:
    return next((rule for rule, matches in answers if rule.get("Action") == action and matches is wanted), None)


def _unseen(programs: list[str]) -> str:
    return "" if programs and all("\\" in program for program in programs) else ": which program listens is unknown"


def _matches(
    rule: dict[str, Any], packet: Packet, profile: str, programs: list[str], state: dict[str, Any]
) -> bool | None:
    """Whether a rule is about ``packet``; None where that cannot be seen, or where it is about a part of the senders."""
    profiles = [each.strip() for each in str(rule.get("Profile") or "Any").split(",")]
    return all_of((
        "Any" in profiles or profile in profiles,
        any(_is_port(str(each), packet.port) for each in _list(rule.get("Ports"))),
        any(_same(each, packet.interface) or each in _MANY for each in _list(rule.get("InterfaceAlias"))),
        _is_of_type(str(rule.get("InterfaceType") or "Any"), packet.interface, state),
        any_of(_is_remote(str(each), packet) for each in _list(rule.get("Remote"))),
        any_of(_is_local(str(each), packet) for each in _list(rule.get("Local"))),
        _is_program(str(rule.get("Program") or "Any"), programs),
        _is_package(str(rule.get("Package") or "Any"), programs),
        # Conditions that are not known of a connection that has not come: its port, its sender, the service it is for.
        *(True if str(each) in (*_MANY, "NotRequired") else None
          for name in ("RemotePorts", "Service", "Authentication", "LocalUser", "RemoteUser")
          for each in _list(rule.get(name))),
    ))  # fmt: skip


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) and value else ["Any"] if value in (None, "", []) else [value]


def _same(pattern: object, alias: str) -> bool:
    """Whether an alias, which may have wildcards, is the interface's."""
    return fnmatchcase(alias.lower(), str(pattern).lower())


def _is_port(text: str, port: int) -> bool:
    first, dash, last = text.partition("-")
    if text in _MANY:
        return True
    if not first.isdigit() or (dash and not last.isdigit()):
        return False  # RPC and such
    return int(first) <= port <= int(last) if dash else int(first) == port


def _is_of_type(text: str, interface: str, state: dict[str, Any]) -> bool | None:
    if text in _MANY:
        return True
    medium = next((str(row.get("Medium")) for row in state["Adapters"] if _same(row.get("Name"), interface)), "")
    kind = "Wireless" if "802.11" in medium else "Wired" if "802.3" in medium else ""
    return kind in [each.strip() for each in text.split(",")] if kind else None


def _is_program(text: str, programs: list[str]) -> bool | None:
    """Whether a rule's program is the one that listens. A program whose path is not known is compared by its name."""
    if text in _MANY:
        return True
    wanted = ntpath.normcase(ntpath.expandvars(text))
    answers: list[bool | None] = []
    for each in programs or [""]:
        program = ntpath.normcase(each)
        if "\\" in program or program == "system":
            answers.append(program == wanted)
        else:
            answers.append(None if program in ("", ntpath.basename(wanted)) else False)
    return answers[0] if len(set(answers)) == 1 else None


def _is_package(text: str, programs: list[str]) -> bool | None:
    """Whether a rule for an app's package can be about the program that listens: only apps of the store run in one."""
    if text in _MANY:
        return True
    paths = [ntpath.normcase(program) for program in programs]
    return False if paths and all("\\" in path and "\\windowsapps\\" not in path for path in paths) else None


def _is_remote(text: str, packet: Packet) -> bool | None:
    word = text.lower()
    if text in _MANY:
        return True
    family = {"4": "ipv4", "6": "ipv6"}.get(word[-1:], packet.family)
    keyword = _KEYWORDS.get(word) or _KEYWORDS.get(word[:-1])
    if keyword is not None:
        return False if family != packet.family else keyword[packet.region != LAN]
    first, dash, last = text.partition("-")
    try:
        if dash:
            return packet.comes_from_range(ip_address(first.strip()), ip_address(last.strip()))
        return packet.comes_from(ip_network(text, strict=False))
    except ValueError:
        return None


def _is_local(text: str, packet: Packet) -> bool | None:
    if text in _MANY:
        return True
    first, dash, last = text.partition("-")
    try:
        if dash:
            low, high = ip_address(first.strip()), ip_address(last.strip())
            return low.version == packet.destination.version and int(low) <= int(packet.destination) <= int(high)
        return packet.destination in ip_network(text, strict=False)
    except ValueError:
        return None


def _fix(packet: Packet, profile: str) -> str:
    remote = " -RemoteAddress LocalSubnet" if packet.region == LAN else ""
    return (
        f"New-NetFirewallRule -DisplayName 'wirecat {packet.port}' -Direction Inbound -Protocol TCP "
        f"-LocalPort {packet.port} -Action Allow -Profile {profile}{remote}"
    )
