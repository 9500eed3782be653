"""Loose source routing: the option of IPv4 that names the hops a packet shall go by (RFC 791 section 3.1)."""

from __future__ import annotations

from wirecat.errors import UsageError

MOST_HOPS = 8  # the option has at most 40 bytes, and the destination stands in it too
FIRST_POINTER = 4
_NO_OPERATION = 1
_LOOSE = 131


def loose_source_route(hops: list[str], destination: str, pointer: int = FIRST_POINTER) -> bytes:
    """The option's bytes, for IP_OPTIONS (ip(7)); all addresses are IPv4 in numbers. ``pointer`` is where in it the
    next hop stands, counted from 1 (4 is the first). Raises UsageError for too many hops and for what is no address.

    >>> loose_source_route(["10.0.0.1"], "10.0.0.9").hex()
    '01830b040a0000010a000009'
    """
    if not 0 < len(hops) <= MOST_HOPS:
        raise UsageError(f"a source route has 1 to {MOST_HOPS} hops, not {len(hops)}")
    route = b"".join(_packed(each) for each in (*hops, destination))
    if pointer not in range(FIRST_POINTER, len(route) + FIRST_POINTER, 4):
        raise UsageError(f"a source route's pointer is 4, 8, 12, … and within it, not {pointer}")
    return bytes([_NO_OPERATION, _LOOSE, len(route) + 3, pointer]) + route


def _packed(host: str) -> bytes:
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        raise UsageError(f"{host!r} is no IPv4 address in numbers")
    numbers = [int(part) for part in parts]
    if max(numbers) > 255:
        raise UsageError(f"{host!r} is no IPv4 address in numbers")
    return bytes(numbers)
