"""Fragmented IP packets put together again (RFC 791 section 3.2, RFC 8200 section 4.5), within bounds.

The first copy of a byte counts, as in streams. What a file says cannot make this keep more than MOST_BYTES.
"""

from __future__ import annotations

MOST_PACKETS = 256  # under way at once; the oldest is given up for another
MOST_BYTES = 1 << 22
_LARGEST = 65535  # bytes of a packet: its length has 16 bits


class _Packet:
    __slots__ = ("count", "data", "length", "received")

    def __init__(self) -> None:
        self.data = bytearray()
        self.received: list[tuple[int, int]] = []  # where bytes are, in order, without overlaps
        self.length: int | None = None  # known once the last fragment has come
        self.count = 0


class Fragments:
    """``take`` gives a packet once it is complete. ``key`` tells packets apart: addresses, identification, protocol."""

    def __init__(self) -> None:
        self._packets: dict[bytes, _Packet] = {}
        self._bytes = 0
        self._evicted = 0

    def take(self, key: bytes, offset: int, data: bytes, more: bool) -> bytes | None:
        """A fragment that belongs at ``offset``; ``more`` tells whether others follow it."""
        if offset + len(data) > _LARGEST:
            self._evicted += 1
            return None
        packet = self._packets.get(key)
        if packet is None:
            packet = self._packets[key] = _Packet()
        packet.count += 1
        if not more and packet.length is None:
            packet.length = offset + len(data)
        before = len(packet.data)
        _insert(packet, offset, data)
        self._bytes += len(packet.data) - before
        if packet.length is not None and packet.received[:1] == [(0, packet.length)]:
            self._forget(key)
            return bytes(packet.data[: packet.length])
        while self._packets and (len(self._packets) > MOST_PACKETS or self._bytes > MOST_BYTES):
            self._evicted += self._forget(next(iter(self._packets)))
        return None

    def evicted(self) -> int:
        """How many fragments were given up since this was last asked."""
        count, self._evicted = self._evicted, 0
        return count

    def give_up(self) -> int:
        """Forget all that is incomplete; how many fragments that were."""
        return sum(self._forget(key) for key in list(self._packets))

    def _forget(self, key: bytes) -> int:
        packet = self._packets.pop(key)
        self._bytes -= len(packet.data)
        return packet.count


def _insert(packet: _Packet, start: int, data: bytes) -> None:
    """Put ``data`` where nothing is yet."""
    end = start + len(data)
    if len(packet.data) < end:
        packet.data.extend(bytes(end - len(packet.data)))
    place = start
    for first, last in [*packet.received, (_LARGEST + 1, _LARGEST + 1)]:
        if place < min(first, end):
            stop = min(first, end)
            packet.data[place:stop] = data[place - start : stop - start]
        place = max(place, last)
        if place >= end:
            break
    packet.received = _merged([*packet.received, (start, end)])


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found
