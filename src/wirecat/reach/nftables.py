"""nftables' rules, as ``nft -j list ruleset`` prints them, decided for one packet (nft(8), libnftables-json(5)).

What is not understood may match or not. Tables that iptables wrote hold matches that only iptables can print (``xt``);
they are named in ``foreign``, for ``iptables-save`` to tell.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from wirecat.reach.packet import all_of, any_of, opposite
from wirecat.reach.packet_filter import (
    ACCEPT,
    DROP,
    GOTO,
    JUMP,
    REJECT,
    RETURN,
    STRANGE,
    BaseChain,
    Rule,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from wirecat.reach.packet import Packet

_VERDICTS = {"accept": ACCEPT, "drop": DROP, "reject": REJECT, "return": RETURN, "jump": JUMP, "goto": GOTO}
# These end the packet's way somewhere else, or change where it goes.
_STRANGE = {"queue", "dnat", "redirect", "tproxy", "fwd", "dup", "synproxy"}
# These look at the packet, or write something that no rule here reads.
_IDLE = {"counter", "log", "mangle", "comment", "notrack", "ct helper", "flow", "last"}
_FAMILIES = {"ipv4": ("ip", "inet"), "ipv6": ("ip6", "inet")}
_OTHERS = ("udp", "icmp", "icmpv6", "sctp", "dccp", "udplite", "esp", "ah")
_FLAGS = {"syn"}  # those that the first packet of a connection has


class Ruleset:
    """The chains that a packet comes through on its way in; see ``packet_filter.decide``."""

    __slots__ = ("bases", "chains", "foreign", "redirects")

    def __init__(self) -> None:
        self.bases: list[BaseChain] = []
        self.redirects: list[BaseChain] = []
        self.chains: dict[tuple[str, str], list[Rule]] = {}
        self.foreign: set[str] = set()


def read_ruleset(document: Mapping[str, Any], texts: Mapping[tuple[str, int], str], packet: Packet) -> Ruleset:
    """The rules decided for ``packet``; ``texts`` are the rules as written, by (table, handle).

    Raises ValueError for a document that is none of nft's.
    """
    try:
        return _Reader(document, texts, packet).read()
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"nft printed what it should not: {error!r}") from error


def read_texts(listing: str) -> dict[tuple[str, int], str]:
    """The rules as ``nft -a list ruleset`` writes them, by table ("inet filter") and handle."""
    texts: dict[tuple[str, int], str] = {}
    table = ""
    for line in listing.splitlines():
        text, mark, handle = line.partition(" # handle ")
        text = text.strip()
        if text.startswith("table ") and text.endswith("{"):
            table = text[6:-1].strip()
        elif mark and handle.strip().isdigit():
            texts[(table, int(handle))] = text
    return texts


class _Reader:
    def __init__(self, document: Mapping[str, Any], texts: Mapping[tuple[str, int], str], packet: Packet) -> None:
        self.objects = [_only(each) for each in document["nftables"]]
        self.texts = texts
        self.packet = packet
        self.sets: dict[tuple[str, str], list[Any]] = {}

    def read(self) -> Ruleset:
        found = Ruleset()
        for kind, body in self.objects:
            if body.get("family") not in _FAMILIES[self.packet.family]:
                continue
            table = f"{body['family']} {body.get('table', body['name'] if kind == 'table' else '')}"
            if kind in ("set", "map"):
                self.sets[(table, body["name"])] = body.get("elem", [])
            elif kind == "chain":
                found.chains.setdefault((table, body["name"]), [])
                if body.get("hook") in ("prerouting", "input"):
                    # What is dropped on the way to this PC never comes to its input.
                    order = int(body.get("prio", 0)) + (0 if body["hook"] == "input" else -100_000)
                    base = BaseChain(table, body["name"], order, body.get("policy", ACCEPT))
                    (found.bases if body["type"] == "filter" else found.redirects).append(base)
        for kind, body in self.objects:
            if kind == "rule" and body.get("family") in _FAMILIES[self.packet.family]:
                table = f"{body['family']} {body['table']}"
                if any("xt" in expression for expression in body["expr"]):
                    found.foreign.add(table)
                text = self.texts.get((table, body.get("handle", -1)), "")
                where = f"{text} (chain {body['chain']} in table {table})".strip()
                found.chains.setdefault((table, body["chain"]), []).extend(self.rules(table, body["expr"], where))
        return found

    def rules(self, table: str, expressions: list[dict[str, Any]], text: str) -> Iterator[Rule]:
        """One rule of nft's; a verdict map becomes one for each of its elements."""
        matches: bool | None = True
        for expression in expressions:
            name, body = _only(expression)
            if name == "match":
                matches = all_of((matches, self.match(table, body)))
            elif name in _VERDICTS:
                yield Rule(matches, _VERDICTS[name], text, body["target"] if name in ("jump", "goto") else "")
            elif name == "vmap":
                for key, verdict in self.elements(table, body["data"]):
                    action, rest = _only(verdict)
                    hit = all_of((matches, self.equals(table, body["key"], key)))
                    target = rest["target"] if action in ("jump", "goto") else ""
                    yield Rule(hit, _VERDICTS.get(action, STRANGE), text, target)
            elif name in _STRANGE:
                yield Rule(matches, STRANGE, text)
            elif name not in _IDLE:
                matches = all_of((matches, None))

    def elements(self, table: str, written: Any) -> list[Any]:
        if isinstance(written, str) and written.startswith("@"):
            return self.sets.get((table, written[1:]), [])
        return list(written["set"])

    def match(self, table: str, body: Mapping[str, Any]) -> bool | None:
        if self.is_of_another_protocol(body["left"]):
            return False  # nft asks for the protocol first, so that != is as far from a match as ==
        answer = self.equals(table, body["left"], body["right"])
        if body["op"] in ("==", "in"):
            return answer
        return opposite(answer) if body["op"] == "!=" else self.compare(body)

    def compare(self, body: Mapping[str, Any]) -> bool | None:
        """Less and greater, of the port only."""
        left, right, operator = body["left"], body["right"], body["op"]
        if not (self.is_port(left) and isinstance(right, int)):
            return None
        port = self.packet.port
        return {"<": port < right, ">": port > right, "<=": port <= right, ">=": port >= right}.get(operator)

    def is_of_another_protocol(self, left: Any) -> bool:
        payload = left.get("payload", {}) if isinstance(left, dict) else {}
        protocol = payload.get("protocol") if isinstance(payload, dict) else None
        return protocol in _OTHERS or protocol == ("ip6" if self.packet.family == "ipv4" else "ip")

    def is_port(self, left: Any) -> bool:
        payload = left.get("payload", {}) if isinstance(left, dict) else {}
        return payload.get("protocol") in ("tcp", "th") and payload.get("field") == "dport"

    def equals(self, table: str, left: Any, right: Any) -> bool | None:
        """Whether a part of the packet is what stands on the right: a value, a range, a set."""
        if isinstance(right, str) and right.startswith("@"):
            if (table, right[1:]) not in self.sets:
                return None
            return any_of(self.equals(table, left, each) for each in self.sets[(table, right[1:])])
        if isinstance(right, dict) and "set" in right:
            return any_of(self.equals(table, left, each) for each in right["set"])
        if isinstance(right, dict) and "elem" in right:  # an element with a time limit or a counter
            return self.equals(table, left, right["elem"]["val"])
        if isinstance(left, dict) and "concat" in left:
            if not (isinstance(right, dict) and len(right.get("concat", [])) == len(left["concat"])):
                return None
            pairs = zip(left["concat"], right["concat"], strict=True)
            return all_of(self.equals(table, one, other) for one, other in pairs)
        if self.is_port(left):
            return self.number(self.packet.port, right)
        kind, body = _only(left) if isinstance(left, dict) else ("", {})
        if kind == "payload":
            return self.payload(body.get("protocol"), body.get("field"), right)
        if kind == "meta":
            return self.meta(body["key"], right)
        if kind == "ct":
            if body["key"] == "status":
                return False if _names(right) else None  # nobody has redirected it, answered, or expected it
            # Nothing has been said of this connection yet.
            return self.word({"state": "new", "direction": "original"}.get(body["key"]), right)
        if kind == "fib":
            return self.route(body, right)
        if kind == "&":
            return self.flags(body, right)
        return None

    def payload(self, protocol: Any, field: Any, right: Any) -> bool | None:
        if protocol == "tcp" and field == "flags":
            wanted = {right} if isinstance(right, str) else set(right) if isinstance(right, list) else None
            return None if wanted is None else bool(wanted & _FLAGS)
        if self.is_of_another_protocol({"payload": {"protocol": protocol}}):
            return False
        if protocol in ("ip", "ip6"):
            if field == "saddr":
                return self.address(right, source=True)
            if field == "daddr":
                return self.address(right, source=False)
            if field in ("protocol", "nexthdr"):
                return self.word("tcp", right)
        return None

    def address(self, right: Any, *, source: bool) -> bool | None:
        packet = self.packet
        if isinstance(right, dict) and "range" in right:
            first, last = map(ip_address, right["range"])
            inside = first.version == packet.destination.version and first <= packet.destination <= last  # type: ignore[operator]
            return packet.comes_from_range(first, last) if source else inside
        if isinstance(right, dict) and "prefix" in right:
            right = f"{right['prefix']['addr']}/{right['prefix']['len']}"
        if not isinstance(right, str):
            return None
        try:
            network = ip_network(right, strict=False)
        except ValueError:
            return None
        return packet.comes_from(network) if source else packet.destination in network

    def meta(self, key: str, right: Any) -> bool | None:
        packet = self.packet
        if key in ("iif", "iifname"):
            if isinstance(right, str) and right.endswith("*"):
                return packet.interface.startswith(right[:-1])
            return self.word(packet.interface, right)
        known = {"l4proto": "tcp", "nfproto": packet.family, "pkttype": "host", "iiftype": None,
                 "protocol": "ip" if packet.family == "ipv4" else "ip6"}  # fmt: skip
        return self.word(known.get(key), right)

    def route(self, body: Mapping[str, Any], right: Any) -> bool | None:
        """The packet comes in where an answer would go out, and is for this PC."""
        flags = body.get("flags", [])
        if "daddr" in flags and body.get("result") == "type":
            return self.word("local", right)
        if "saddr" in flags and body.get("result") == "oif" and isinstance(right, bool):
            return right
        return None

    def flags(self, body: Any, right: Any) -> bool | None:
        left, mask = body if isinstance(body, list) and len(body) == 2 else ({}, None)
        payload = left.get("payload", {}) if isinstance(left, dict) else {}
        if payload.get("protocol") != "tcp" or payload.get("field") != "flags":
            return None
        looked_at, wanted = _names(mask), _names(right)
        return None if looked_at is None or wanted is None else _FLAGS & looked_at == wanted

    def word(self, value: str | None, right: Any) -> bool | None:
        if value is None:
            return None
        if isinstance(right, list):
            return value in right
        if isinstance(right, str):
            return right == value
        return None

    def number(self, value: int, right: Any) -> bool | None:
        if isinstance(right, dict) and "range" in right:
            first, last = right["range"]
            return first <= value <= last if isinstance(first, int) and isinstance(last, int) else None
        return right == value if isinstance(right, int) and not isinstance(right, bool) else None


def _only(written: Mapping[str, Any]) -> tuple[str, Any]:
    """Name and body of an object that has one member."""
    for name, body in written.items():
        return name, body
    raise ValueError("nft printed an empty object")


def _names(written: Any) -> set[str] | None:
    """Flags as nft writes them: one, a list, or joined by |."""
    if isinstance(written, dict) and "|" in written:
        parts = [_names(each) for each in written["|"]]
        return None if None in parts else set().union(*(part for part in parts if part is not None))
    if isinstance(written, list):
        return set(written) if all(isinstance(each, str) for each in written) else None
    if isinstance(written, str):
        return {written}
    return set() if written == 0 else None
