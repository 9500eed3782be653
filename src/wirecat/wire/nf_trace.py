"""nf_tables' packet trace (``nft monitor trace``): the rules that switch it on, and its events as bytes.

Every packet in the network is marked in the first hook that it comes to; from there on the kernel reports each rule that it
matches, with the verdict, and the policy of each base chain. The last hooks of IP have a chain too, so a packet that comes through
is reported there, with the interface that it leaves by.
"""

from __future__ import annotations

import struct

from wirecat.wire import nf_tables
from wirecat.wire.netlink import NESTED, attribute, big32, fields, string, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wirecat.wire.nf_tables import Message

TABLE = "wirecat-trace"
GROUP = 9  # NFNLGRP_NFTRACE

_FIRST, _LAST = -(1 << 31), (1 << 31) - 1
_INET, _ARP, _NETDEV, _BRIDGE = 1, 3, 5, 7
#: Family, chain, number of the hook, priority.
_CHAINS = (
    (_INET, "prerouting", 0, _FIRST),
    (_INET, "input", 1, _LAST),
    (_INET, "forward", 2, _FIRST),
    (_INET, "output", 3, _FIRST),
    (_INET, "postrouting", 4, _LAST),
)
_ARP_CHAINS = ((_ARP, "arp-input", 0, _FIRST), (_ARP, "arp-output", 1, _FIRST))
_BRIDGE_CHAINS = ((_BRIDGE, "bridge-prerouting", 0, _FIRST), (_BRIDGE, "bridge-output", 3, _FIRST))

_DROP = 0
_TCP, _ICMPV6 = 6, 58
_SOLICITATION, _ADVERTISEMENT = 135, 136


class Event:
    """One step of a packet in ``chain`` of a ``table``; ``handle`` is that of the rule, 0 for the chain's policy.

    ``dropped`` says that its way ended there; ``interface`` is the index of the one that it leaves by, 0 where that is not
    known yet; ``number`` is the same for all events of a packet in one hook. A packet's first event in each hook is
    ``described``: it tells ``ports`` (source, destination) of TCP, and whether the packet is one of ARP or neighbor discovery
    (``neighbour``).
    """

    def __init__(self, body: bytes) -> None:
        found = fields(body[4:])
        self.family = body[0]
        self.table = text(found.get(1, b""))
        self.chain = text(found.get(2, b""))
        self.handle = int.from_bytes(found.get(3, b""), "big")
        self.number = big32(found.get(6, b""))
        verdict = fields(found.get(5, b""))
        code = verdict.get(1) or found.get(16)  # a policy's event has NFTA_TRACE_POLICY
        self.dropped = code is not None and big32(code) & 0xFF == _DROP and big32(code) < 1 << 31
        self.interface = big32(found.get(12, b""))
        self.ports: tuple[int, int] | None = None
        protocol = big32(found.get(15, b""))
        network, transport = found.get(8, b""), found.get(9, b"")
        carried = -1
        if len(network) >= 20:
            carried = network[9] if network[0] >> 4 == 4 else network[6]
        if carried == _TCP and len(transport) >= 4:
            self.ports = struct.unpack_from("!HH", transport)
        self.neighbour = protocol == _ARP or self.family == _ARP or (
            carried == _ICMPV6 and transport[:1] in (bytes((_SOLICITATION,)), bytes((_ADVERTISEMENT,)))
        )  # fmt: skip
        self.described = bool(network) or self.neighbour

    @property
    def is_own(self) -> bool:
        """Whether it comes from a chain of the trace itself, and so only tells where the packet is."""
        return self.table == TABLE


def switch_on(devices: Iterable[str], *, bridge: bool) -> list[list[Message]]:
    """Batches that switch the trace on; some kernels refuse some of them, which then report less."""
    return [
        _tables(_INET, _CHAINS),
        _tables(_ARP, _ARP_CHAINS),
        *([_tables(_BRIDGE, _BRIDGE_CHAINS)] if bridge else []),
        *(_tables(_NETDEV, ((_NETDEV, f"ingress-{device}", 0, _FIRST),), device) for device in devices),
    ]


def _tables(family: int, chains: Iterable[tuple[int, str, int, int]], device: str = "") -> list[Message]:
    made: list[Message] = [_message(family, 0, attribute(1, string(TABLE)))]
    for _, name, hook, priority in chains:
        place = attribute(1, struct.pack("!I", hook)) + attribute(2, struct.pack("!i", priority))
        if device:
            place += attribute(3, string(device))
        named = attribute(1, string(TABLE))
        made.append(_message(family, 3, named + attribute(3, string(name)) + attribute(4 | NESTED, place)
                             + attribute(7, b"filter\0")))  # fmt: skip
        made.append(_message(family, 6, named + attribute(2, string(name)) + attribute(4 | NESTED, _MARK), 0x800))
    return nf_tables.batch(made)


def _message(family: int, command: int, body: bytes, flags: int = 0) -> Message:
    return nf_tables.SUBSYSTEM << 8 | command, 0x400 | flags, nf_tables.generic_header(family) + body


def _expression(name: str, data: bytes) -> bytes:
    return attribute(1 | NESTED, attribute(1, string(name)) + attribute(2 | NESTED, data))


# meta nftrace set 1: a register is loaded with 1, and the key NFT_META_NFTRACE (12) with the register.
_MARK = _expression(
    "immediate", attribute(1, struct.pack("!I", 1)) + attribute(2 | NESTED, attribute(1, b"\x01"))
) + _expression("meta", attribute(2, struct.pack("!I", 12)) + attribute(3, struct.pack("!I", 1)))
