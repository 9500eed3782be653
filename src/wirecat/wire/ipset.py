"""The sets of ipset as netlink messages: what a dump returned, made ready to be loaded elsewhere (linux/netfilter/ipset/ip_set.h).

Rules name a set by its index, so a copy must have the same indexes. The kernel gives a new set the first free index: where
there is a gap, a set is made and deleted again.
"""

from __future__ import annotations

import struct

from wirecat.wire.netlink import NESTED, attribute, attributes, fields, string, text, without
from wirecat.wire.nf_tables import generic_header

SUBSYSTEM = 6
CREATE, DESTROY, LIST, ADD = 2, 3, 7, 9
_PROTOCOL, _NAME, _TYPE, _REVISION, _FAMILY, _DATA, _ELEMENTS, _LINE, _INDEX = 1, 2, 3, 4, 5, 7, 8, 9, 11
_STATISTICS = frozenset((24, 25, 26))  # elements, references, memory: what the kernel counts
_VERSION = attribute(_PROTOCOL, b"\x07")
_NETWORK_ORDER = 0x4000
_FILLER = "wirecat-filler-"


def list_request() -> bytes:
    """The body of a dump request for all sets with their elements."""
    return generic_header(0) + _VERSION


def copy_messages(dumped: list[bytes]) -> list[tuple[int, bytes]]:
    """The messages (command, body) that make the sets of a dump in an empty network, with the same indexes.

    Raises ValueError where the kernel does not tell the indexes (before Linux 5.2).
    """
    sets: dict[int, dict[int, bytes]] = {}
    fills: list[tuple[int, bytes]] = []
    for body in dumped:
        found = fields(body[4:])
        if _TYPE in found:
            if _INDEX not in found:
                raise ValueError("this kernel does not tell the indexes of its ipsets")
            sets[index_of(body)] = found
        if found.get(_ELEMENTS):
            parts = (_VERSION, attribute(_NAME, found[_NAME]), attribute(_LINE, struct.pack("=I", 0)),
                     attribute(_ELEMENTS | NESTED, b"".join(map(_element, attributes(found[_ELEMENTS])))))  # fmt: skip
            fills.append((ADD, generic_header(0) + b"".join(parts)))
    made, fillers = [], []
    for index in range(max(sets, default=-1) + 1):
        if index in sets:
            made.append((CREATE, _create(sets[index])))
        else:
            name = f"{_FILLER}{index}"
            made.append((CREATE, _create_filler(name)))
            fillers.append((DESTROY, generic_header(0) + _VERSION + attribute(_NAME, string(name))))
    # A list of sets takes members that are there, so all sets come before all elements.
    return [*made, *fillers, *fills]


def set_name(body: bytes) -> str:
    """The set that a message is about."""
    return text(fields(body[4:]).get(_NAME, b""))


def index_of(body: bytes) -> int:
    """The index of a dumped set."""
    return int.from_bytes(fields(body[4:])[_INDEX], "big")


def _create(found: dict[int, bytes]) -> bytes:
    parts = [_VERSION, *(attribute(kind, found[kind]) for kind in (_NAME, _TYPE, _REVISION, _FAMILY) if kind in found)]
    parts.append(attribute(_DATA | NESTED, _in_network_order(without(found.get(_DATA, b""), _STATISTICS))))
    return generic_header(0) + b"".join(parts)


def _element(each: tuple[int, bytes]) -> bytes:
    return attribute(each[0], _in_network_order(each[1]))


def _in_network_order(data: bytes) -> bytes:
    """The kernel asks for a flag on addresses that it does not set itself."""
    parts = []
    for kind, value in attributes(data):
        if kind & NESTED:
            value = b"".join(attribute(inner | _NETWORK_ORDER, address) for inner, address in attributes(value))
        parts.append(attribute(kind, value))
    return b"".join(parts)


def _create_filler(name: str) -> bytes:
    parts = (attribute(_NAME, string(name)), attribute(_TYPE, b"list:set\0"), attribute(_REVISION, b"\0"),
             attribute(_FAMILY, b"\0"), attribute(_DATA | NESTED, b""))  # fmt: skip
    return generic_header(0) + _VERSION + b"".join(parts)
