"""Which expressions of nf_tables, and which matches and targets of iptables, may give another result in a copy of the rules.

Everything else depends on the packet, the addresses, the routes and the sets alone, and those a copy has.
"""

from __future__ import annotations

import enum
import struct

from wirecat.wire.netlink import attributes, big32, fields, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container


class Concern(enum.Enum):
    """Why a rule's result in a copy may not be that on the machine itself."""

    LIMIT = "a limit"  # passes one new connection and stops more: rate, number of connections, quota
    STATE = "state that a copy does not have"  # recent, xt quota, random choice
    PROGRAM = "a program that the kernel hands the packet to"
    NETWORK_CLASS = "the network class of the program's control group"
    CONTROL_GROUP = "control groups"
    OWNER = "the group of the program"
    SENDER = "the sender's hardware address"
    DEVICE = "the kind of the device"
    IPSEC = "IPsec"
    REDIRECT = "another destination"
    UNCOPIED = "something that cannot be copied"


_EXPRESSIONS = {
    "limit": Concern.LIMIT,
    "connlimit": Concern.LIMIT,
    "quota": Concern.LIMIT,
    "queue": Concern.PROGRAM,
    "tproxy": Concern.PROGRAM,
    "redir": Concern.REDIRECT,
    "fwd": Concern.REDIRECT,
    "numgen": Concern.STATE,
    "osf": Concern.STATE,
    "xfrm": Concern.IPSEC,
}
_META = {  # not 10, skuid: the copy's listener has the user of the machine's
    11: Concern.OWNER,  # skgid
    20: Concern.STATE,  # cpu
    23: Concern.NETWORK_CLASS,
    24: Concern.STATE,  # random
    25: Concern.IPSEC,  # secpath
    26: Concern.DEVICE,  # iifkind
    27: Concern.DEVICE,  # oifkind
}
_SOCKET_CGROUPV2, _ROUTE_IPSEC = 3, 4
_LIMITS_OF_A_SET = {"limit", "connlimit", "quota"}
_NAT_TO_DESTINATION = 1
_OBJECT_LIMITS = {2, 4, 5, 10}  # quota, limit, connlimit, synproxy

MATCHES = {
    "cgroup": Concern.CONTROL_GROUP,
    "condition": Concern.STATE,
    "connlimit": Concern.LIMIT,
    "cpu": Concern.STATE,
    "hashlimit": Concern.LIMIT,
    "limit": Concern.LIMIT,
    "lscan": Concern.STATE,
    "mac": Concern.SENDER,
    "nfacct": Concern.STATE,
    "osf": Concern.STATE,
    "owner": Concern.OWNER,
    "policy": Concern.IPSEC,
    "psd": Concern.STATE,
    "quota": Concern.STATE,
    "rateest": Concern.STATE,
    "recent": Concern.STATE,
    "statistic": Concern.STATE,
}
TARGETS = {
    "DNAT": Concern.REDIRECT,
    "DELUDE": Concern.STATE,
    "NETMAP": Concern.REDIRECT,
    "NFQUEUE": Concern.PROGRAM,
    "QUEUE": Concern.PROGRAM,
    "REDIRECT": Concern.REDIRECT,
    "TARPIT": Concern.STATE,
    "TPROXY": Concern.PROGRAM,
}
LOGGING_TARGETS = frozenset(("AUDIT", "IDLETIMER", "LED", "LOG", "NFLOG", "TRACE", "ULOG"))
"""Targets that let the packet pass on and tell something outside: the machine's logs, lamps and timers."""

_RECENT_SET = 1 << 1
_OWNER_USER = 1


def find_concern(expression: bytes, limiting_sets: Container[str] = ()) -> Concern | None:
    """The concern of one expression of a rule (NFTA_LIST_ELEM's value), or None.

    ``limiting_sets`` are the sets and maps of the rule's table whose elements are, or have, limits.
    """
    parts = fields(expression)
    name, data = text(parts[1]), fields(parts.get(2, b""))
    if name == "meta":
        return _META.get(big32(data.get(2, b"")))
    if name == "socket":
        return Concern.CONTROL_GROUP if big32(data.get(1, b"")) == _SOCKET_CGROUPV2 else None
    if name == "rt":
        return Concern.IPSEC if big32(data.get(2, b"")) == _ROUTE_IPSEC else None
    if name == "nat":
        return Concern.REDIRECT if big32(data.get(1, b"")) == _NAT_TO_DESTINATION else None
    if name == "payload":
        return Concern.SENDER if _reads_sender(data) else None
    if name == "objref":
        limits = big32(data[1]) in _OBJECT_LIMITS if 1 in data else text(data.get(4, b"")) in limiting_sets
        return Concern.LIMIT if limits else None
    if name == "lookup":
        return Concern.LIMIT if text(data.get(1, b"")) in limiting_sets else None
    if name == "dynset":
        return Concern.LIMIT if _has_limit(data) else None
    if name == "match":
        return match_concern(text(data[1]), data.get(3, b""))
    if name == "target":
        return TARGETS.get(text(data[1]))
    return _EXPRESSIONS.get(name)


def match_concern(name: str, info: bytes) -> Concern | None:
    """The concern of an xt match; ``info`` is its binary data (linux/netfilter/xt_*.h)."""
    if name == "recent" and len(info) >= 10:
        # seconds, hit count, check_set, invert: entering the sender in the list always matches.
        check, invert = struct.unpack_from("=BB", info, 8)
        return None if check & _RECENT_SET and not invert else Concern.STATE
    if name == "owner" and len(info) >= 18:
        # Users and groups from and to, what is compared: the copy's listener has the user of the machine's.
        return None if info[16] & ~_OWNER_USER == 0 else Concern.OWNER
    return MATCHES.get(name)


def is_log(expression: bytes) -> bool:
    """Whether an expression does nothing to the packet but writes it into a log."""
    parts = fields(expression)
    name = text(parts[1])
    return name == "log" or (name == "target" and text(fields(parts[2])[1]) in LOGGING_TARGETS)


def _reads_sender(data: dict[int, bytes]) -> bool:
    """Whether a payload expression reads the source address of the Ethernet header."""
    if 1 not in data or big32(data.get(2, b"\0\0\0\1")) != 0:  # a destination register; base: the link layer's header
        return False
    offset, length = big32(data.get(3, b"")), big32(data.get(4, b""))
    return offset < 12 and offset + length > 6


def _has_limit(data: dict[int, bytes]) -> bool:
    """Whether a dynset keeps a limit for each of its elements: NFTA_DYNSET_EXPR or NFTA_DYNSET_EXPRESSIONS."""
    return _keeps_limit(data, 7, 10)


def is_limiting_set(data: dict[int, bytes]) -> bool:
    """Whether a set's elements are objects that limit (NFTA_SET_OBJ_TYPE), or have limits (NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS)."""
    return big32(data.get(15, bytes(4))) in _OBJECT_LIMITS or _keeps_limit(data, 17, 18)


def _keeps_limit(data: dict[int, bytes], one: int, several: int) -> bool:
    kept = [fields(data[one])] if one in data else []
    kept += [fields(each) for _, each in attributes(data.get(several, b""))]
    return any(text(each.get(1, b"")) in _LIMITS_OF_A_SET for each in kept)
