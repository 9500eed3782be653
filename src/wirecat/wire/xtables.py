"""The tables of iptables-legacy as the kernel's sockets give and take them: one block of entries with offsets in it.

See linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h and linux/netfilter/x_tables.h. An entry is what it
compares of the IP header, matches, and a target. The target of the standard kind holds a verdict: an offset to jump to (the next
entry's to fall through), or a negative number.
"""

from __future__ import annotations

import struct

from wirecat.wire.netlink import text
from wirecat.wire.nf_concerns import LOGGING_TARGETS, TARGETS, Concern, match_concern

_INFO = struct.Struct("@32sI5I5III")  # ipt_getinfo
_INFO_ARP = struct.Struct("@32sI3I3III")
_REPLACE = "@32sIII{0}I{0}IIP"  # ipt_replace, without its entries
_ENTRIES_HEADER = struct.calcsize("@32sI0Q")  # ipt_get_entries, without its entries
_COUNTERS = struct.Struct("=QQ")  # packets, bytes
_VERDICT = struct.Struct("=i")
_HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")


class Kind:
    """One of the kinds of tables: where an entry has its fields."""

    def __init__(self, name: str, offsets_at: int, counters_at: int, size: int, hooks: int) -> None:
        self.name = name
        self.offsets_at = offsets_at
        self.counters_at = counters_at
        self.size = size
        self.hooks = hooks


IP = Kind("ip", 88, 96, 112, 5)
IP6 = Kind("ip6", 140, 152, 168, 5)
ARP = Kind("arp", 0, 0, 0, 3)  # copied as it is


class Table:
    """A table: its name, the offsets of its hooks' first entries and of their policies, its entries as one block."""

    def __init__(self, kind: Kind, name: str, numbers: tuple[int, ...], block: bytes) -> None:
        self.kind = kind
        self.name = name
        self.valid_hooks = numbers[0]
        self.hook_entry = list(numbers[1 : 1 + kind.hooks])
        self.underflow = list(numbers[1 + kind.hooks : 1 + 2 * kind.hooks])
        self.entries_count = numbers[1 + 2 * kind.hooks]
        self.block = block


class Entry:
    """One entry: its place in the block, its chain, its number there (from 1; 0 for a chain's policy) and its target."""

    def __init__(self, start: int, raw: bytes, chain: str, number: int, target: str) -> None:
        self.start = start
        self.raw = raw
        self.chain = chain
        self.number = number
        self.target = target


def info_request(kind: Kind, name: str) -> bytearray:
    """The buffer for IPT_SO_GET_INFO."""
    return bytearray(name.encode().ljust((_INFO if kind.hooks == 5 else _INFO_ARP).size, b"\0"))


def read_info(kind: Kind, answer: bytes) -> tuple[int, ...]:
    """Valid hooks, their entries, their policies, number of entries, size of the block."""
    return tuple((_INFO if kind.hooks == 5 else _INFO_ARP).unpack(answer)[1:])


def entries_request(name: str, size: int) -> bytearray:
    """The buffer for IPT_SO_GET_ENTRIES; the entries come behind its header."""
    return bytearray(struct.pack("@32sI0Q", name.encode(), size) + bytes(size))


def read_entries(answer: bytes) -> bytes:
    """The block of entries in the answer."""
    return bytes(answer[_ENTRIES_HEADER:])


def replace_request(table: Table, counters: int, counters_address: int) -> bytes:
    """What IPT_SO_SET_REPLACE takes: the kernel writes the old table's ``counters`` to an address of this process."""
    head = struct.pack(
        _REPLACE.format(table.kind.hooks), table.name.encode(), table.valid_hooks, table.entries_count, len(table.block),
        *table.hook_entry, *table.underflow, counters, counters_address)  # fmt: skip
    return head + table.block


def entries_of(table: Table) -> list[Entry]:
    """The entries in order, with chains and numbers as iptables(8) counts them."""
    kind, found = table.kind, []
    heads = {start: _HOOKS[hook] for hook, start in enumerate(table.hook_entry) if table.valid_hooks >> hook & 1}
    policies = {start for hook, start in enumerate(table.underflow) if table.valid_hooks >> hook & 1}
    chain, number, start = "", 0, 0
    while start < len(table.block):
        target_offset, length = struct.unpack_from("=HH", table.block, start + kind.offsets_at)
        if length < kind.size:
            raise ValueError(f"an entry of {length} bytes in table {table.name}")
        raw = table.block[start : start + length]
        target = text(raw[target_offset + 2 : target_offset + 31])
        if start in heads:
            chain, number = heads[start], 0
        number += 1
        if target == "ERROR":  # the head of a chain that the user made, or the end of the table
            chain, number = text(raw[target_offset + 32 :]), 0
        found.append(Entry(start, raw, chain, 0 if start in policies else number, target))
        start += length
    return found


def count_packets(table: Table) -> list[tuple[Entry, int]]:
    """Each entry and the packets that it counted."""
    return [(each, _COUNTERS.unpack_from(each.raw, table.kind.counters_at)[0]) for each in entries_of(table)]


def is_stop(entry: Entry) -> str:
    """What the entry does to a packet that it matches: "drops", "refuses", or "" for anything else."""
    if entry.target == "REJECT":
        return "refuses"
    if entry.target == "DROP" or (entry.target == "" and _verdict(entry.raw) == -1):
        return "drops"
    return ""


class ProbedTable:
    """A copy of a table with zero counters, without logs, and with an entry before each that may differ in a copy.

    ``origins`` has, for each entry of ``table``, the entry of the original; ``concerns`` the concern of each added one.
    """

    def __init__(self, original: Table) -> None:
        kind = original.kind
        self.origins: list[Entry] = []
        self.concerns: dict[int, Concern] = {}
        pieces: list[tuple[bytes, int | None]] = []  # an entry, and the old offset that its verdict names
        moved: dict[int, int] = {}
        moved_policies: dict[int, int] = {}
        size = 0

        def add(raw: bytes, names: int | None, entry: Entry) -> None:
            nonlocal size
            pieces.append((raw, names))
            self.origins.append(entry)
            size += len(raw)

        for entry in entries_of(original):
            raw = entry.raw
            moved[entry.start] = size
            after = entry.start + len(raw)
            for concern, matches_end in _concerns(kind, raw):
                self.concerns[len(pieces)] = concern
                probe = raw[:matches_end] + _standard_target(0)
                add(_sized(kind, probe, matches_end), -1, entry)
            moved_policies[entry.start] = size
            if entry.target in LOGGING_TARGETS:
                target_offset = struct.unpack_from("=H", raw, kind.offsets_at)[0]
                raw = _sized(kind, raw[:target_offset] + _standard_target(0), target_offset)
                add(raw, after, entry)
                continue
            verdict = _verdict(raw) if entry.target == "" else -1
            add(raw, verdict if verdict >= 0 else None, entry)
        moved[len(original.block)] = size
        block, start = [], 0
        for raw, names in pieces:
            changed = bytearray(raw)
            changed[kind.counters_at : kind.counters_at + 16] = bytes(16)
            if names is not None:
                changed[-8:-4] = _VERDICT.pack(start + len(raw) if names == -1 else moved[names])
            block.append(bytes(changed))
            start += len(raw)
        hooks = [moved.get(each, each) for each in original.hook_entry]
        policies = [moved_policies.get(each, each) for each in original.underflow]
        numbers = (original.valid_hooks, *hooks, *policies, len(pieces))
        self.table = Table(kind, original.name, numbers, b"".join(block))


def _concerns(kind: Kind, raw: bytes) -> list[tuple[Concern, int]]:
    """The concerns of an entry's matches and target, each with where the parts before it end."""
    found = []
    target_offset = struct.unpack_from("=H", raw, kind.offsets_at)[0]
    start = kind.size
    while start < target_offset:
        (length,) = struct.unpack_from("=H", raw, start)
        concern = match_concern(text(raw[start + 2 : start + 31]), raw[start + 32 : start + length])
        if concern is not None:
            found.append((concern, start))
        start += max(length, 32)
    target = TARGETS.get(text(raw[target_offset + 2 : target_offset + 31]))
    return [*found, (target, target_offset)] if target is not None else found


def _standard_target(verdict: int) -> bytes:
    """xt_standard_target: its size, no name, revision 0, the verdict, padding."""
    return struct.pack("=H29xB", 40, 0) + _VERDICT.pack(verdict) + bytes(4)


def _sized(kind: Kind, raw: bytes, target_offset: int) -> bytes:
    changed = bytearray(raw)
    struct.pack_into("=HH", changed, kind.offsets_at, target_offset, len(raw))
    return bytes(changed)


def _verdict(raw: bytes) -> int:
    """The verdict of an entry with a standard target: it is the entry's last eight bytes, four of them padding."""
    return int(_VERDICT.unpack(raw[-8:-4])[0])
