"""The headers of IP packets: TCP segments and UDP datagrams, with their checksums right."""

from __future__ import annotations

import struct

from wirecat.wire.checksum import checksum, ones_sum

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
TCP, UDP = 6, 17
# The most that one segment can hold over IPv4, where the length of a packet has 16 bits (RFC 791 section 3.1).
LARGEST_SEGMENT = 65535 - 20 - 20
LARGEST_DATAGRAM = 65535 - 20 - 8
WINDOW_SCALE = 14  # the largest there is (RFC 7323 section 2.3): a window of 1 GiB
# Options of a SYN: the largest segment (RFC 9293 section 3.2) and the window's scale, padded to whole words.
_SYN_OPTIONS = struct.pack("!BBHBBBB", 2, 4, LARGEST_SEGMENT, 3, 3, WINDOW_SCALE, 1)
_HOPS = 64

_IPV4 = struct.Struct("!BBHHHBBH")
_IPV6 = struct.Struct("!IHBB")
_TCP = struct.Struct("!HHIIBBHHH")
_UDP = struct.Struct("!HHHH")


class Way:
    """One direction of a conversation: where its packets come from and go to (``source`` and ``target`` are packed
    addresses, 4 or 16 bytes each), with all of the headers that never changes worked out once."""

    __slots__ = ("_addresses", "_addresses_sum", "_ip_sum", "_ports", "_v6")

    def __init__(self, source: bytes, source_port: int, target: bytes, target_port: int) -> None:
        self._v6 = len(source) == 16
        self._addresses = source + target
        self._ports = source_port, target_port
        self._addresses_sum = ones_sum(self._addresses)
        # All of the IPv4 header but its length, identification and protocol: they are added to it.
        self._ip_sum = self._addresses_sum + 0x4500 + 0x4000 + (_HOPS << 8)

    def tcp(
        self, sequence: int, acknowledged: int, flags: int, payload: bytes | memoryview = b"", window: int = 0xFFFF
    ) -> bytes:
        """The headers of a segment with ``payload`` (RFC 9293 section 3.1); a SYN has options. Numbers are taken modulo
        2**32."""
        sequence &= 0xFFFFFFFF
        acknowledged &= 0xFFFFFFFF
        extra = _SYN_OPTIONS if flags & SYN else b""
        offset = (20 + len(extra)) << 2  # in words, in the upper half of the byte
        source, target = self._ports
        length = 20 + len(extra) + len(payload)
        total = (
            self._addresses_sum + TCP + length + source + target + (sequence >> 16) + (sequence & 0xFFFF)
            + (acknowledged >> 16) + (acknowledged & 0xFFFF) + (offset << 8) + flags + window
        )  # fmt: skip
        if extra:
            total += ones_sum(extra)
        if payload:
            total += ones_sum(payload)
        head = _TCP.pack(source, target, sequence, acknowledged, offset, flags, window, checksum(total), 0)
        return self._ip(TCP, length) + head + extra

    def udp(self, payload: bytes | memoryview) -> bytes:
        """The headers of a datagram with ``payload`` (RFC 768)."""
        length = 8 + len(payload)
        total = self._addresses_sum + UDP + length + sum(self._ports) + length + ones_sum(payload)
        return self._ip(UDP, length) + _UDP.pack(*self._ports, length, checksum(total) or 0xFFFF)

    def _ip(self, protocol: int, length: int) -> bytes:
        if self._v6:  # RFC 8200 section 3
            return _IPV6.pack(0x60000000, length, protocol, _HOPS) + self._addresses
        length += 20  # RFC 791 section 3.1; never to be fragmented, so it needs no identification (RFC 6864)
        total = checksum(self._ip_sum + length + protocol)
        return _IPV4.pack(0x45, 0, length, 0, 0x4000, _HOPS, protocol, total) + self._addresses
