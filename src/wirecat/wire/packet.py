"""Captured packets taken apart, down to the TCP segment or UDP datagram that they carry."""

from __future__ import annotations

import struct

from wirecat.wire.checksum import ones_sum
from wirecat.wire.segment import TCP, UDP

# Link types (https://www.tcpdump.org/linktypes.html): how many bytes stand before the IP header.
_NULL, _ETHERNET, _LOOP, _LINUX_SLL, _LINUX_SLL2 = 0, 1, 108, 113, 276
_RAW = (12, 14, 101, 228, 229)
_VLAN = (0x8100, 0x88A8)
_IPV4, _IPV6 = 0x0800, 0x86DD
_EXTENSIONS = (0, 43, 60)  # RFC 8200 section 4: hop-by-hop, routing, destination options
_FRAGMENT = 44


class Transported:
    """A segment or a datagram: ``protocol`` (TCP or UDP), ``source`` and ``target`` as packed address and port, its
    ``payload`` and how much of that is ``missing`` because the capture was cut; of a segment also ``sequence``,
    ``acknowledged`` and ``flags``. ``intact`` tells whether the checksum is right; None: it cannot be told."""

    __slots__ = ("acknowledged", "flags", "intact", "missing", "payload", "protocol", "sequence", "source", "target")

    def __init__(self, protocol: int, source: tuple[bytes, int], target: tuple[bytes, int], payload: bytes) -> None:
        self.protocol = protocol
        self.source = source
        self.target = target
        self.payload = payload
        self.missing = 0
        self.sequence = 0
        self.acknowledged = 0
        self.flags = 0
        self.intact: bool | None = None


def take_apart(link_type: int, data: bytes, *, check: bool = False) -> Transported | None:
    """What a captured packet carries; None where it is neither TCP nor UDP, a fragment, or too short to be read.

    With ``check`` the checksum of a whole one is verified; what a machine sent by itself is often captured before its
    network card works it out, so only a recording of ours has to be right.
    """
    try:
        start = _ip_at(link_type, data)
        if start < 0:
            return None
        version = data[start] >> 4
        if version == 4:
            return _of_ipv4(data, start, check)
        return _of_ipv6(data, start, check) if version == 6 else None
    except (struct.error, IndexError):
        return None


def _ip_at(link_type: int, data: bytes) -> int:
    """Where the IP header begins; -1 where there is none."""
    if link_type in _RAW:
        return 0
    if link_type in (_NULL, _LOOP):  # an address family, in somebody's byte order; the version tells as much
        return 4
    if link_type == _LINUX_SLL:
        return 16 if struct.unpack_from("!H", data, 14)[0] in (_IPV4, _IPV6) else -1
    if link_type == _LINUX_SLL2:
        return 20 if struct.unpack_from("!H", data)[0] in (_IPV4, _IPV6) else -1
    if link_type == _ETHERNET:
        place = 12
        while (kind := struct.unpack_from("!H", data, place)[0]) in _VLAN:
            place += 4
        return place + 2 if kind in (_IPV4, _IPV6) else -1
    return -1


def _of_ipv4(data: bytes, start: int, check: bool) -> Transported | None:
    header = (data[start] & 15) * 4
    length, fragment = struct.unpack_from("!H", data, start + 2)[0], struct.unpack_from("!H", data, start + 6)[0]
    if header < 20 or fragment & 0x3FFF:  # more fragments follow, or others came before (RFC 791 section 3.1)
        return None
    # 0 stands for a packet so large that the network card was to cut it up.
    length = length or len(data) - start
    addresses = data[start + 12 : start + 20]
    return _transported(data, start + header, length - header, data[start + 9], addresses, check)


def _of_ipv6(data: bytes, start: int, check: bool) -> Transported | None:
    length, following = struct.unpack_from("!HB", data, start + 4)
    addresses = data[start + 8 : start + 40]
    place = start + 40
    length = length or len(data) - place
    for _ in range(8):
        if following not in _EXTENSIONS:
            break
        following, size = data[place], (data[place + 1] + 1) * 8
        place, length = place + size, length - size
    if following == _FRAGMENT:
        return None
    return _transported(data, place, length, following, addresses, check)


def _transported(
    data: bytes, start: int, length: int, protocol: int, addresses: bytes, check: bool
) -> Transported | None:
    """``length`` is what the IP header promises; what was captured may be less."""
    if protocol not in (TCP, UDP):
        return None
    source, target = struct.unpack_from("!HH", data, start)
    header = 8
    if protocol == TCP:
        sequence, acknowledged, offset, flags = struct.unpack_from("!IIBB", data, start + 4)
        header = (offset >> 4) * 4
        if header < 20:
            return None
    else:
        length = min(length, struct.unpack_from("!H", data, start + 4)[0] or length)
    if length < header or len(data) < start + header:
        return None
    half = len(addresses) // 2
    payload = data[start + header : start + length]
    found = Transported(protocol, (addresses[:half], source), (addresses[half:], target), payload)
    found.missing = length - header - len(payload)
    if protocol == TCP:
        found.sequence, found.acknowledged, found.flags = sequence, acknowledged, flags
    if check and not found.missing:
        # RFC 9293 section 3.1: over a pseudo header, and all of it adds up to nothing.
        found.intact = (ones_sum(addresses) + protocol + length + ones_sum(data[start : start + length])) % 0xFFFF == 0
    return found
