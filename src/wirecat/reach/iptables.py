"""iptables' rules, as ``iptables-save`` and ``ip6tables-save`` print them, decided for one packet (iptables(8)).

What is not understood may match or not. ufw, and a good part of Docker, write their rules this way.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from wirecat.reach.packet import all_of, any_of, opposite
from wirecat.reach.packet_filter import ACCEPT, DROP, GOTO, JUMP, REJECT, RETURN, STRANGE, BaseChain, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.packet import Packet

# In which order a packet comes through the tables on its way in (netfilter's priorities; prerouting comes first).
_ORDER = {
    ("raw", "PREROUTING"): -300,
    ("mangle", "PREROUTING"): -150,
    ("mangle", "INPUT"): 1,
    ("filter", "INPUT"): 2,
    ("security", "INPUT"): 50,
}
_ACTIONS = {"ACCEPT": ACCEPT, "DROP": DROP, "REJECT": REJECT, "RETURN": RETURN}
_STRANGE = {"DNAT", "REDIRECT", "NFQUEUE", "QUEUE", "TPROXY", "NETMAP", "SYNPROXY", "TARPIT"}
# Targets that let the packet go on.
_IDLE = {
    "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CT", "NOTRACK", "AUDIT", "SET", "TRACE", "TOS", "DSCP", "CHECKSUM",
    "TCPMSS", "CLASSIFY", "SECMARK", "CONNSECMARK", "MASQUERADE", "SNAT", "HMARK", "RATEEST", "IDLETIMER", "LED",
}  # fmt: skip
# Options of matches that take no value, so that what follows is read in step.
_WITHOUT_VALUE = {"--syn", "--rsource", "--rdest", "--rttl", "--set", "--update", "--rcheck", "--remove", "--socket-exists",
                  "--loose", "--validmark", "--accept-local", "--invert"}  # fmt: skip
_QUIET = {"-m", "--comment"}  # say nothing about the packet by themselves


class Tables:
    """The chains that a packet comes through on its way in; see ``packet_filter.decide``."""

    __slots__ = ("bases", "chains", "redirects")

    def __init__(self) -> None:
        self.bases: list[BaseChain] = []
        self.redirects: list[BaseChain] = []
        self.chains: dict[tuple[str, str], list[Rule]] = {}


def read_tables(text: str, packet: Packet) -> Tables:
    """The rules of ``iptables-save``'s output, decided for ``packet``."""
    import shlex

    found = Tables()
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            name, _, rest = line[1:].partition(" ")
            found.chains[(table, name)] = []
            policy = DROP if rest.startswith("DROP") else ACCEPT
            if (table, name) in _ORDER:
                found.bases.append(BaseChain(table, name, _ORDER[(table, name)], policy))
            elif (table, name) == ("nat", "PREROUTING"):
                found.redirects.append(BaseChain(table, name, -100, policy))
        elif line.startswith("-A "):
            try:
                words = shlex.split(line)
            except ValueError:
                words = line.split()
            chain = found.chains.setdefault((table, words[1]), [])
            chain.append(_rule(words[2:], f"{line} (table {table})", packet))
    return found


def _rule(words: list[str], text: str, packet: Packet) -> Rule:
    matches: list[bool | None] = []
    action, target = "", ""
    negated = False
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word == "!":
            negated = True
            continue
        values = []
        while place < len(words) and not words[place].startswith("-") and words[place] != "!":
            if word in _WITHOUT_VALUE:
                break
            values.append(words[place])
            place += 1
        if word in ("-j", "-g"):
            target = values[0] if values else ""
            action = GOTO if word == "-g" else _ACTIONS.get(target, "")
            break  # what follows belongs to the target
        answer = _matches(word, values, packet)
        matches.append(opposite(answer) if negated else answer)
        negated = False
    decided = all_of(matches)
    if action:
        return Rule(decided, action, text, target)
    if target in _STRANGE:
        return Rule(decided, STRANGE, text)
    if not target or target in _IDLE:
        return Rule(False, ACCEPT, text)  # it only counts or writes something down
    return Rule(decided, JUMP, text, target)


def _matches(option: str, values: list[str], packet: Packet) -> bool | None:
    value = values[0] if values else ""
    if option in _QUIET:
        return True
    if option in ("-p", "--protocol"):
        return value in ("tcp", "6", "all", "0")
    if option in ("-i", "--in-interface"):
        return packet.interface.startswith(value[:-1]) if value.endswith("+") else packet.interface == value
    if option in ("-s", "--source"):
        return any_of(_network(each, packet, source=True) for each in value.split(","))
    if option in ("-d", "--destination"):
        return any_of(_network(each, packet, source=False) for each in value.split(","))
    if option in ("--dport", "--dports"):
        return any_of(_port(each, packet.port) for each in value.split(","))
    if option in ("--ctstate", "--state"):
        return "NEW" in value.split(",")
    if option == "--syn":
        return True
    if option == "--tcp-flags" and len(values) == 2:
        looked_at = {"ALL": {"SYN"}, "NONE": set()}.get(values[0], set(values[0].split(",")))
        return {"SYN"} & looked_at == (set() if values[1] == "NONE" else set(values[1].split(",")))
    if option in ("--dst-type", "--pkt-type"):
        return {"LOCAL": True, "UNICAST": None, "unicast": True}.get(value, False)
    if option == "--src-range" and "-" in value:
        first, _, last = value.partition("-")
        return packet.comes_from_range(ip_address(first), ip_address(last))
    return None


def _network(text: str, packet: Packet, *, source: bool) -> bool | None:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return packet.comes_from(network) if source else packet.destination in network


def _port(text: str, port: int) -> bool | None:
    first, colon, last = text.partition(":")
    if not first.isdigit() or (colon and not last.isdigit()):
        return None
    return int(first) <= port <= int(last) if colon else port == int(first)
