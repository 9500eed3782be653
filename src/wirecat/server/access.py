"""Who may come in: addresses and CIDR blocks (RFC 4632) to allow and to deny."""

from __future__ import annotations

import socket

from wirecat.errors import UsageError

CACHE_LIMIT = 4096


class AccessList:
    """Deny wins; where anything is allowed, everything else is denied. Answers are remembered per address.

    Raises UsageError for what is neither an address nor a block. An IPv4 address that comes in over IPv6
    (``::ffff:192.0.2.1``, RFC 4291 section 2.5.5.2) is taken as the IPv4 address it is.

    >>> AccessList(allow=["127.0.0.0/8"]).permits("192.0.2.1")
    False
    """

    def __init__(self, allow: tuple[str, ...] | list[str] = (), deny: tuple[str, ...] | list[str] = ()) -> None:
        self._allow = [_block(text) for text in allow]
        self._deny = [_block(text) for text in deny]
        self._known: dict[str, bool] = {}

    def permits(self, host: str) -> bool:
        """Whether a client from ``host`` (an address in numbers) may come in."""
        if not (self._allow or self._deny):
            return True
        known = self._known.get(host)
        if known is None:
            known = self._decide(host)
            if len(self._known) >= CACHE_LIMIT:
                self._known.clear()
            self._known[host] = known
        return known

    def _decide(self, host: str) -> bool:
        bits, number = _number(host)
        if any(_contains(block, bits, number) for block in self._deny):
            return False
        return not self._allow or any(_contains(block, bits, number) for block in self._allow)


def _contains(block: tuple[int, int, int], bits: int, number: int) -> bool:
    width, shift, prefix = block
    return width == bits and number >> shift == prefix


def _block(text: str) -> tuple[int, int, int]:
    """Width of the address (32 or 128), how far to shift it, and what must be left."""
    host, slash, length = text.strip().partition("/")
    try:
        bits, number = _number(host.strip("[]"))
    except OSError:
        raise UsageError(
            f"{text!r} is neither an address nor a block", hint="Write 192.168.1.7, 192.168.1.0/24 or fe80::/10."
        ) from None
    if not slash:
        return bits, 0, number
    if not (length.isascii() and length.isdigit()) or int(length) > bits:
        raise UsageError(f"{text!r}: a block's length is a number from 0 to {bits}")
    shift = bits - int(length)
    return bits, shift, number >> shift


def _number(host: str) -> tuple[int, int]:
    if ":" not in host:
        return 32, int.from_bytes(socket.inet_pton(socket.AF_INET, host), "big")
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    if packed[:12] == b"\0" * 10 + b"\xff\xff":
        return 32, int.from_bytes(packed[12:], "big")
    return 128, int.from_bytes(packed, "big")
