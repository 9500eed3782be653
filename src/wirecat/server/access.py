"""Who may come in: addresses, CIDR blocks (RFC 4632), ranges and host names, to allow and to deny.

    192.168.1.7   fe80::1            one address
    192.168.1.0/24   fe80::/10       a block; host.example/24: the block that the host lies in
    fe80::1%eth0   fe80::%eth0/10    an address or a block of one link (RFC 4007); without a zone, of every link
    10.0.0-3.*                       a range in each part; * is 0-255, 5- is 5-255, -5 is 0-5
    host.example                     all addresses that it has when the server starts

A text may hold several, with commas between them.
"""

from __future__ import annotations

import socket

from wirecat.errors import UsageError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Range = tuple[tuple[int, int], ...]

CACHE_LIMIT = 4096
LOOKUP_TIME = 10.0  # seconds for the name of one host
_MAPPED = b"\0" * 10 + b"\xff\xff"  # ::ffff:0:0/96
_MAPPED_BITS = 96
_LINK_LOCAL, _LINK_LOCAL_BITS = 0xFE80 >> 6, 10  # fe80::/10 (RFC 4291 section 2.5.6)
_EXAMPLES = "Write 192.168.1.7, 192.168.1.0/24, 192.168.1-3.*, fe80::/10 or a host's name."


class AccessList:
    """Deny wins; where an ``allow`` is given, everything that it does not name is denied. Answers are remembered.

    Raises UsageError for what is none of the forms above, or a name that is not known (as its cause: UnknownHost). An
    IPv4 address that comes in over IPv6 (``::ffff:192.0.2.1``, RFC 4291 section 2.5.5.2) is taken as the IPv4 address
    it is.

    >>> AccessList(allow=["127.0.0.0/8, 10.0.0-3.*"]).permits("192.0.2.1")
    False
    """

    def __init__(self, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        allow = tuple(allow)
        self._restricted = bool(allow)  # an empty text, or a file without a line, allows nobody
        self._allow = _Rules(allow)
        self._deny = _Rules(deny)
        self._everybody = not (self._restricted or self._deny)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether anybody is kept out by it."""
        return not self._everybody

    def permits(self, host: str) -> bool:
        """Whether a client from ``host`` (an address in numbers) may come in."""
        if self._everybody:
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
        zone = host.partition("%")[2]
        if self._deny.match(bits, number, zone):
            return False
        return not self._restricted or self._allow.match(bits, number, zone)


def read_rules(path: str) -> list[str]:
    """The rules of a file, one or more a line; what follows a ``#`` is a comment.

    Raises UsageError for a file that cannot be read. An empty file gives one empty rule, so that as an ``allow`` it
    allows nobody.
    """
    try:
        # pathlib would cost its import.
        with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            return [word for line in file for word in line.partition("#")[0].split()] or [""]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", errno=error.errno) from error


class _Rules:
    """Addresses, blocks and ranges, and whether one of them holds an address."""

    __slots__ = ("_addresses", "_blocks", "_ranges")

    def __init__(self, texts: Iterable[str]) -> None:
        # How many bits an address has (32, 128), its number, and its zone; without one it is of every link.
        self._addresses: set[tuple[int, int, str]] = set()
        self._blocks: list[tuple[int, int, int, str]] = []  # bits, how far to shift, what must be left, and the zone
        self._ranges: list[Range] = []
        for text in texts:
            for word in text.split(","):
                if word.strip():
                    self._add(word.strip())

    def __bool__(self) -> bool:
        return bool(self._addresses or self._blocks or self._ranges)

    def match(self, bits: int, number: int, zone: str) -> bool:
        if (bits, number, "") in self._addresses or (zone and (bits, number, zone) in self._addresses):
            return True
        if any(
            width == bits and number >> shift == prefix and of in ("", zone)
            for width, shift, prefix, of in self._blocks
        ):
            return True
        if bits != 32 or not self._ranges:
            return False
        parts = number.to_bytes(4, "big")
        return any(
            all(low <= part <= high for part, (low, high) in zip(parts, each, strict=True)) for each in self._ranges
        )

    def _add(self, text: str) -> None:
        host, slash, length = text.partition("/")
        found = None if slash else _range(text)
        if found is not None:
            self._ranges.append(found)
            return
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        for written_bits, bits, number, zone in _numbers(host, text):
            if not slash:
                self._addresses.add((bits, number, zone))
                continue
            if not (length.isascii() and length.isdigit()) or len(length) > 3 or int(length) > written_bits:
                raise UsageError(f"{text!r}: a block's length is a number from 0 to {written_bits}")
            shift = written_bits - int(length)
            if shift > bits:  # ::ffff:0:0/90 reaches beyond the mapped addresses
                raise UsageError(f"{text!r}: a block of mapped IPv4 addresses has a length from {_MAPPED_BITS} on")
            self._blocks.append((bits, shift, number >> shift, zone))


def _numbers(host: str, text: str) -> list[tuple[int, int, int, str]]:
    """What an address in numbers, or a host's name, stands for: the bits as written, the bits, the number and the zone."""
    try:
        bits, number = _number(host)
    except (OSError, ValueError):
        pass  # then it is a name, or nothing
    else:
        return [(128 if ":" in host else 32, bits, number, _zone(host, bits, number, text))]
    # "127.0.0" and "127.1" are addresses to the resolver (inet_aton(3)), but not those that people mean.
    if not host or not any(letter.isalpha() for letter in host) or any(letter in "[]*%: " for letter in host):
        raise UsageError(f"{text!r} is no address, block, range or host", hint=_EXAMPLES)
    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.place import host_of
    from wirecat.endpoints.resolve import resolve

    try:
        found = resolve(Address("tcp", host, 0), Deadline(LOOKUP_TIME))
    except WirecatError as error:
        raise UsageError(f"{text!r}: {error.message}", hint=_EXAMPLES) from error
    hosts = [host_of(place) for _, place in found]
    return [(128 if ":" in each else 32, *_number(each), each.partition("%")[2]) for each in hosts]


def _zone(host: str, bits: int, number: int, text: str) -> str:
    """The zone in a rule, as the interface's name; empty without one. Raises UsageError for an address that has none.

    The interface need not be there yet: that of a VPN may come later, with the same name.
    """
    _, percent, zone = host.partition("%")
    if not percent:
        return ""
    if not zone or bits != 128 or number >> (128 - _LINK_LOCAL_BITS) != _LINK_LOCAL:
        raise UsageError(f"{text!r}: a zone is the interface of a link-local address, as in fe80::1%eth0")
    try:
        return socket.if_indextoname(int(zone)) if zone.isdecimal() else zone
    except (OSError, OverflowError):
        return zone


def _range(text: str) -> Range | None:
    """The bounds of each part of an IPv4 range; None for what is written in another way."""
    parts = text.split(".")
    if len(parts) != 4 or not any("-" in part or part == "*" for part in parts):
        return None
    bounds = []
    for part in parts:
        low, dash, high = ("0", "-", "255") if part == "*" else part.partition("-")
        low, high = (low or "0", high or "255") if dash else (low, low)
        if not all(each.isascii() and each.isdigit() and len(each) <= 3 for each in (low, high)):
            return None  # a name with a dash in it
        if not int(low) <= int(high) <= 255:
            raise UsageError(f"{text!r}: {part!r} is no range from 0 to 255", hint=_EXAMPLES)
        bounds.append((int(low), int(high)))
    return tuple(bounds)


def _number(host: str) -> tuple[int, int]:
    """Bits and value of an address in numbers, without its zone (``%eth0``). Raises OSError for what is none."""
    if ":" not in host:
        return 32, int.from_bytes(socket.inet_pton(socket.AF_INET, host), "big")
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    if packed.startswith(_MAPPED):
        return 32, int.from_bytes(packed[len(_MAPPED) :], "big")
    return 128, int.from_bytes(packed, "big")
