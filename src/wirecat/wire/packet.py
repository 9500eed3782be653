"""Captured packets taken apart, down to the TCP segment or UDP datagram that they carry.

Most packets of most captures are IPv4 without options on Ethernet or on nothing, and carry TCP: those take a short
path. Everything else goes through the layers one by one: links and tunnels (``encapsulation``), fragments.
"""

from __future__ import annotations

import struct
from collections import namedtuple

from wirecat.wire.checksum import ones_sum
from wirecat.wire.encapsulation import (
    IPV4,
    Unknown,
    link_payload,
    network_payload,
    protocol_payload,
    tunnel_payload,
)  # fmt: skip
from wirecat.wire.fragments import Fragments
from wirecat.wire.segment import TCP, UDP

_ETHERNET, _RAW = 1, 101
_EXTENSIONS = (0, 43, 60, 135)  # RFC 8200 section 4: hop-by-hop, routing, destination options; RFC 6275: mobility
_FRAGMENT = 44
_DEEPEST = 8  # packets within packets
# From the first byte of an IPv4 header without options: length, fragment, protocol; then of TCP: sequence,
# acknowledgement, offset, flags, window (RFC 791 section 3.1, RFC 9293 section 3.1).
_IPV4_TCP = struct.Struct("!2xH2xHxB14xIIBBH").unpack_from
_TCP = struct.Struct("!4xIIBBH").unpack_from
_WORD = struct.Struct("!H").unpack_from
_new = tuple.__new__  # half the cost of a named tuple's constructor
_CUT = "too short or damaged to be read"
_IN_FRAGMENTS = "fragments of packets that are not complete"


class Transported(
    namedtuple(
        "Transported",
        ("protocol", "key", "payload", "missing", "sequence", "acknowledged", "flags", "window", "intact"),
        defaults=(0, 0, 0, 0, 0, None),
    )
):
    """A segment or a datagram.

    ``protocol`` is TCP or UDP. ``key`` holds the packed addresses of source and target and their ports, as they stand
    in the headers: it identifies one direction of a connection. ``payload`` is what it carries and ``missing`` how many
    bytes of that were not captured. For a segment also ``sequence``, ``acknowledged``, ``flags`` and ``window``
    (unscaled). ``intact`` tells whether the checksum is right; None: that was not asked, or cannot be told.
    """

    __slots__ = ()

    protocol: int
    key: bytes
    payload: bytes
    missing: int
    sequence: int
    acknowledged: int
    flags: int
    window: int
    intact: bool | None

    @property
    def source(self) -> tuple[bytes, int]:
        """The packed address and the port that it came from."""
        key = self.key
        return key[: (len(key) - 4) // 2], int.from_bytes(key[-4:-2], "big")

    @property
    def target(self) -> tuple[bytes, int]:
        """The packed address and the port that it went to."""
        key = self.key
        return key[(len(key) - 4) // 2 : -4], int.from_bytes(key[-2:], "big")


def key_of(source: tuple[bytes, int], target: tuple[bytes, int]) -> bytes:
    """The ``key`` of what goes from ``source`` to ``target`` (packed address and port)."""
    return source[0] + target[0] + source[1].to_bytes(2, "big") + target[1].to_bytes(2, "big")


class Dissector:
    """Takes the packets of one capture apart. ``left_out`` counts, by name, the packets of which nothing could be given."""

    def __init__(self) -> None:
        self.left_out: dict[str, int] = {}
        self._fragments = Fragments()

    def take(self, link_type: int, data: bytes, *, check: bool = False) -> Transported | None:
        """What a captured packet carries; None where that is neither TCP nor UDP, or not complete yet.

        With ``check`` the checksum of a whole one is verified. Machines often capture what they send before their network
        card computes it, so only a recording written by wirecat has to be right.
        """
        if link_type == _ETHERNET:
            start = 14 if data[12:15] == b"\x08\0\x45" else -1
        else:
            start = 0 if link_type == _RAW and data[:1] == b"\x45" else -1
        if start >= 0 and not check and len(data) >= start + 40:
            length, fragment, protocol, sequence, acknowledged, offset, flags, window = _IPV4_TCP(data, start)
            if protocol == TCP and not fragment & 0x3FFF and length:
                end = start + length
                body = start + 20 + (offset >> 2 & 60)
                if start + 40 <= body <= end and body <= len(data):
                    payload = data[body:end]
                    missing = end - body - len(payload)
                    key = data[start + 12 : start + 24]
                    fields = (TCP, key, payload, missing, sequence, acknowledged, flags, window, None)
                    return _new(Transported, fields)
        try:
            return self._network(*link_payload(link_type, data), data, check)
        except Unknown as error:
            self._leave_out(error.name)
        except (struct.error, IndexError):
            self._leave_out(_CUT)
        return None

    def finish(self) -> None:
        """The capture has ended: fragments whose packets are incomplete are counted as left out."""
        self._leave_out(_IN_FRAGMENTS, self._fragments.give_up())

    def _leave_out(self, name: str, count: int = 1) -> None:
        if count:
            self.left_out[name] = self.left_out.get(name, 0) + count

    def _network(self, kind: int, start: int, data: bytes, check: bool, depth: int = 0) -> Transported | None:
        if depth > _DEEPEST:
            raise Unknown(f"wrapped more than {_DEEPEST} times")
        kind, start = network_payload(kind, start, data)
        if data[start] >> 4 != (4 if kind == IPV4 else 6):
            raise Unknown(_CUT)
        if kind == IPV4:
            return self._ipv4(data, start, check, depth)
        return self._ipv6(data, start, check, depth)

    def _ipv4(self, data: bytes, start: int, check: bool, depth: int) -> Transported | None:
        header = (data[start] & 15) * 4
        # 0 stands for a packet so large that the network card was to cut it up.
        length = _WORD(data, start + 2)[0] or len(data) - start
        fragment = _WORD(data, start + 6)[0]
        protocol, addresses = data[start + 9], data[start + 12 : start + 20]
        if header < 20 or length < header or len(addresses) < 8:
            raise Unknown(_CUT)
        body, end = start + header, start + length
        if fragment & 0x3FFF:  # more follow, or others came before (RFC 791 section 3.1)
            whole = self._whole(
                addresses + data[start + 4 : start + 6] + bytes([protocol]), (fragment & 0x1FFF) * 8, data[body:end],
                bool(fragment & 0x2000),
            )  # fmt: skip
            return None if whole is None else self._inside(whole, 0, len(whole), protocol, addresses, check, depth)
        return self._inside(data, body, end, protocol, addresses, check, depth)

    def _ipv6(self, data: bytes, start: int, check: bool, depth: int) -> Transported | None:
        length, following = _WORD(data, start + 4)[0], data[start + 6]
        addresses = data[start + 8 : start + 40]
        if len(addresses) < 32:
            raise Unknown(_CUT)
        place = start + 40
        end = place + length if length else len(data)
        for _ in range(_DEEPEST):
            if following in _EXTENSIONS:
                following, size = data[place], (data[place + 1] + 1) * 8
            elif following == _FRAGMENT:
                offset, following = _WORD(data, place + 2)[0], data[place]
                size = 8
                if offset & 0xFFF9:  # else it is an atomic fragment, the whole packet (RFC 6946)
                    key = addresses + data[place + 4 : place + 8]
                    whole = self._whole(key, offset & 0xFFF8, data[place + 8 : end], bool(offset & 1))
                    if whole is None:
                        return None
                    data, place, end, size = whole, 0, len(whole), 0
            else:
                break
            place += size
        return self._inside(data, place, end, following, addresses, check, depth)

    def _whole(self, key: bytes, offset: int, data: bytes, more: bool) -> bytes | None:
        whole = self._fragments.take(key, offset, data, more)
        self._leave_out(_IN_FRAGMENTS, self._fragments.evicted())
        return whole

    def _inside(
        self, data: bytes, start: int, end: int, protocol: int, addresses: bytes, check: bool, depth: int
    ) -> Transported | None:
        """What an IP packet carries, up to ``end``; what was captured may be less."""
        if protocol not in (TCP, UDP):
            return self._network(*protocol_payload(protocol, data, start), data, False, depth + 1)
        length = end - start
        ports = data[start : start + 4]
        header, sequence, acknowledged, flags, window = 8, 0, 0, 0, 0
        if protocol == TCP:
            sequence, acknowledged, offset, flags, window = _TCP(data, start)
            header = offset >> 2 & 60
            if header < 20:
                raise Unknown(_CUT)
        else:
            length = min(length, _WORD(data, start + 4)[0] or length)
            inner = tunnel_payload(data, start)
            if inner is not None:
                return self._network(*inner, data, False, depth + 1)
        if length < header or len(data) < start + header:
            raise Unknown(_CUT)
        payload = data[start + header : start + length]
        missing = length - header - len(payload)
        intact = None
        if check and not missing:
            # RFC 9293 section 3.1: over a pseudo header, and all of it adds up to nothing.
            total = ones_sum(addresses) + protocol + length + ones_sum(data[start : start + length])
            intact = total % 0xFFFF == 0
        return Transported(
            protocol, addresses + ports, payload, missing, sequence, acknowledged, flags, window, intact
        )  # fmt: skip
