"""The rules of nf_tables as netlink messages: what a dump returned, made ready to be loaded elsewhere.

See linux/netfilter/nf_tables.h. Expressions stay as the kernel wrote them, so nothing is lost that this module does not know.
What changes:

- Handles, counters, owners and positions are left out: the kernel assigns them again.
- ``log`` and its kin are left out: a copy must write nothing into the machine's logs.
- In front of an expression whose result may differ in a copy (see ``nf_concerns``) stands a counter, the *probe*: it counts
  the packets that came to the expression.
- NFTA_RULE_COMPAT, which xt matches need and a dump does not contain, is made again.
"""

from __future__ import annotations

import struct

from wirecat.wire.netlink import NESTED, attribute, attributes, backwards, big32, fields, text, without
from wirecat.wire.nf_concerns import Concern, find_concern, is_limiting_set, is_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    Object = tuple[int, bytes]  # family, attributes
    Message = tuple[int, int, bytes]  # message type, flags, body

TABLE, CHAIN, OBJECT, FLOWTABLE, SET, ELEMENTS, RULE = range(7)
"""Kinds of objects, in the order in which they are loaded."""

SUBSYSTEM = 10
GET = {TABLE: 1, CHAIN: 4, OBJECT: 19, FLOWTABLE: 23, SET: 10, ELEMENTS: 13, RULE: 7}
_NEW = {TABLE: 0, CHAIN: 3, RULE: 6, SET: 9, ELEMENTS: 12, OBJECT: 18, FLOWTABLE: 22}
_DELETE_TABLE = 2
TRACE = 17

FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}

_CREATE, _APPEND = 0x400, 0x800
_BATCH_BEGIN, _BATCH_END = 16, 17

# Attributes that the kernel assigns: handles, use counts, owners, positions, counters, padding.
_STRIPPED = {
    TABLE: frozenset((3, 4, 5, 7)),
    CHAIN: frozenset((2, 6, 8, 9)),
    RULE: frozenset((3, 6, 8)),
    SET: frozenset((14, 16, 19, 20, 21)),
    ELEMENTS: frozenset[int](),
    OBJECT: frozenset((5, 6, 7)),
    FLOWTABLE: frozenset((4, 5, 6)),
}
_TABLE_FLAGS, _DORMANT = 2, 1
_CHAIN_FLAGS, _CHAIN_BASE, _CHAIN_HOOK = 10, 1, 4
_RULE_EXPRESSIONS, _RULE_COMPAT = 4, 5
_SET_ID = 10
_ELEMENT_LIST = 3
_OBJECT_DATA, _OBJECT_QUOTA = 4, 2


class Ruleset:
    """All of nf_tables of one network: the objects of each kind in the kernel's order."""

    def __init__(self, objects: dict[int, list[Object]]) -> None:
        self.objects = objects

    def base_chains(self) -> set[tuple[int, str, str]]:
        """The base chains (family, table, chain)."""
        found = set()
        for family, body in self.objects[CHAIN]:
            chain = fields(body)
            if _CHAIN_HOOK in chain:
                found.add((family, text(chain[1]), text(chain[3])))
        return found

    def delete_table(self, place: int) -> list[Message]:
        """A batch that deletes one table."""
        family, body = self.objects[TABLE][place]
        name = attribute(1, fields(body)[1])
        return batch([(SUBSYSTEM << 8 | _DELETE_TABLE, 0, generic_header(family) + name)])

    def devices_of(self, place: int) -> set[str]:
        """The devices that a base chain is bound to (ingress and egress hooks)."""
        hook = fields(fields(self.objects[CHAIN][place][1]).get(_CHAIN_HOOK, b""))
        named = [hook[3]] if 3 in hook else [value for _, value in attributes(hook.get(4, b""))]
        return {text(value) for value in named}

    def bound_devices(self) -> set[str]:
        """The devices that any chain is bound to."""
        return {name for place in range(len(self.objects[CHAIN])) for name in self.devices_of(place)}

    def table_names(self) -> list[str]:
        """The tables as nft(8) names them, in their places."""
        return [f"{FAMILIES[family]} {text(fields(body)[1])}" for family, body in self.objects[TABLE]]

    def rules_by_chain(self) -> dict[tuple[int, str, str], list[int]]:
        """The places in ``objects[RULE]`` of each chain's rules, in their order."""
        found: dict[tuple[int, str, str], list[int]] = {}
        for place, (family, body) in enumerate(self.objects[RULE]):
            rule = fields(body)
            found.setdefault((family, text(rule[1]), text(rule[2])), []).append(place)
        return found


def generic_header(family: int, resource: int = 0) -> bytes:
    """struct nfgenmsg, with which each message of nfnetlink begins."""
    return struct.pack("!BBH", family, 0, resource)


def batch(messages: Iterable[Message]) -> list[Message]:
    """Messages framed as a batch, which the kernel applies as a whole or not at all."""
    frame = generic_header(0, SUBSYSTEM)
    return [(_BATCH_BEGIN, 0, frame), *messages, (_BATCH_END, 0, frame)]


def delete_everything() -> list[Message]:
    """A batch that deletes all tables of all families."""
    return batch([(SUBSYSTEM << 8 | _DELETE_TABLE, 0, generic_header(0))])


class Copy:
    """A ruleset made ready to be loaded into a twin network.

    ``left_out`` are (kind, place) of the objects that the kernel refused; a rule among them is replaced by a probe, and if that
    is refused too (its chain is not there), it is among ``missing``.
    ``concerns`` has the concern of each probe by (place of the rule, place of the probe among its expressions).
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self.ruleset = ruleset
        self.left_out: set[tuple[int, int]] = set()
        self.missing: set[int] = set()
        self.concerns: dict[tuple[int, int], Concern] = {}
        self._limiting: dict[tuple[int, bytes], list[str]] = {}
        for family, body in ruleset.objects[SET]:
            found = fields(body)
            if is_limiting_set(found):
                self._limiting.setdefault((family, found[1]), []).append(text(found[2]))

    def leave_out(self, kind: int, place: int) -> None:
        """Load the rules without one object that the kernel refused."""
        if (kind, place) in self.left_out:
            self.missing.add(place)
        self.left_out.add((kind, place))

    def messages(self) -> tuple[list[Message], list[tuple[int, int]]]:
        """A batch that loads the rules, and (kind, place) of the object in each of its messages but the frame."""
        self.concerns.clear()
        made: list[Message] = []
        index: list[tuple[int, int]] = []
        for kind in range(7):
            objects = list(enumerate(self.ruleset.objects[kind]))
            # The elements of a tree come from the end: the first must be loaded first.
            for place, (family, body) in reversed(objects) if kind == ELEMENTS else objects:
                if place in self.missing if kind == RULE else (kind, place) in self.left_out:
                    continue
                flags = _CREATE | (_APPEND if kind == RULE else 0)
                new = generic_header(family) + self._prepare(kind, place, family, body)
                made.append((SUBSYSTEM << 8 | _NEW[kind], flags, new))
                index.append((kind, place))
        return batch(made), index

    def _prepare(self, kind: int, place: int, family: int, body: bytes) -> bytes:
        if kind == RULE:
            return self._prepare_rule(place, family, body)
        parts = []
        for number, value in attributes(without(body, _STRIPPED[kind])):
            if kind == TABLE and number == _TABLE_FLAGS:
                value = struct.pack("!I", big32(value) & _DORMANT)
            elif kind == CHAIN and number == _CHAIN_FLAGS:
                value = struct.pack("!I", big32(value) & _CHAIN_BASE)  # without offload and binding
            elif kind == ELEMENTS and number & ~NESTED == _ELEMENT_LIST:
                value = backwards(value)
            elif kind == OBJECT and number & ~NESTED == _OBJECT_DATA and big32(fields(body)[3]) == _OBJECT_QUOTA:
                value = _copied_quota(value)
            parts.append(attribute(number, value))
        if kind == SET and _SET_ID not in fields(body):
            parts.append(attribute(_SET_ID, struct.pack("!I", place + 1)))
        return b"".join(parts)

    def _prepare_rule(self, place: int, family: int, body: bytes) -> bytes:
        if (RULE, place) in self.left_out:
            self.concerns[(place, 0)] = Concern.UNCOPIED
            rule = fields(body)
            return attribute(1, rule[1]) + attribute(2, rule[2]) + attribute(_RULE_EXPRESSIONS | NESTED, _PROBE)
        parts = []
        for number, value in attributes(without(body, _STRIPPED[RULE])):
            if number & ~NESTED == _RULE_EXPRESSIONS:
                value = self._probed(place, value, self._limiting.get((family, fields(body)[1]), ()))
            parts.append(attribute(number, value))
        return b"".join(parts) + _compat_of(body)

    def _probed(self, place: int, expressions: bytes, limiting_sets: Collection[str]) -> bytes:
        """The expressions of a rule without what writes logs, with a probe before each that may differ in a copy."""
        parts: list[bytes] = []
        for _, expression in attributes(expressions):
            if is_log(expression):
                continue
            expression = _with_copied_quota(expression)
            concern = find_concern(expression, limiting_sets)
            if concern is not None:
                self.concerns[(place, len(parts))] = concern
                parts.append(_PROBE)
            parts.append(attribute(1 | NESTED, expression))
        return b"".join(parts)


def _copied_quota(data: bytes) -> bytes:
    """A quota's attributes: the kernel takes no more used than there was, and tells by a flag that it is used up."""
    found = fields(data)
    parts = [attribute(1, found[1]), attribute(2, struct.pack("!I", big32(found.get(2, bytes(4))) & 1))]
    return b"".join(parts) + (attribute(4, min(found[4], found[1])) if 4 in found else b"")


def _with_copied_quota(expression: bytes) -> bytes:
    parts = fields(expression)
    if text(parts[1]) != "quota":
        return expression
    return attribute(1, parts[1]) + attribute(2 | NESTED, _copied_quota(parts[2]))


_PROBE = attribute(1 | NESTED, attribute(1, b"counter\0") + attribute(2 | NESTED, b""))


def read_counters(body: bytes) -> dict[int, int]:
    """Packets counted by each ``counter`` among a rule's expressions, by its place among them."""
    found = {}
    for place, (name, data) in enumerate(_expressions(body)):
        if name == "counter":
            found[place] = int.from_bytes(data.get(2, b""), "big")
    return found


def handle_of(body: bytes) -> int:
    """A rule's handle."""
    return int.from_bytes(fields(body).get(3, b""), "big")


def is_in(family: int, body: bytes, table: tuple[int, str]) -> bool:
    """Whether a rule is in a table (family, name)."""
    return family == table[0] and text(fields(body)[1]) == table[1]


def has_xt(body: bytes) -> bool:
    """Whether a rule has matches or targets of iptables, which only iptables can print."""
    return any(name in ("match", "target") for name, _ in _expressions(body))


def has_reject(body: bytes) -> bool:
    """Whether a rule answers what it drops."""
    return any(
        name == "reject" or (name == "target" and text(data[1]) == "REJECT") for name, data in _expressions(body)
    )


def _expressions(body: bytes) -> Iterator[tuple[str, dict[int, bytes]]]:
    """The expressions of a rule: name and data."""
    for _, expression in attributes(fields(body).get(_RULE_EXPRESSIONS, b"")):
        parts = fields(expression)
        yield text(parts[1]), fields(parts.get(2, b""))


def _compat_of(body: bytes) -> bytes:
    """NFTA_RULE_COMPAT of a rule with xt expressions, from its comparison of the protocol: ``multiport`` and REJECT need it."""
    if _RULE_COMPAT in fields(body) or not has_xt(body):
        return b""
    registers = set()
    for name, data in _expressions(body):
        if _reads_protocol(name, data):
            registers.add(data[1])
        elif name == "cmp" and data.get(1) in registers:
            protocol = fields(data[3]).get(1, b"\0")[0]
            inverted = 2 if big32(data[2]) == 1 else 0  # NFT_CMP_NEQ, NFT_RULE_COMPAT_F_INV
            compat = attribute(1, struct.pack("!I", protocol)) + attribute(2, struct.pack("!I", inverted))
            return attribute(_RULE_COMPAT | NESTED, compat)
    return b""


def _reads_protocol(name: str, data: dict[int, bytes]) -> bool:
    if name == "meta":
        return 1 in data and big32(data.get(2, b"")) == 16  # NFT_META_L4PROTO
    if name == "payload" and {1, 2, 3, 4} <= data.keys():
        # One byte of the network header: protocol in IPv4, next header in IPv6.
        return (big32(data[2]), big32(data[3]), big32(data[4])) in ((1, 9, 1), (1, 6, 1))
    return False
