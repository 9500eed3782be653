"""What a capture file holds, item by item."""

from __future__ import annotations

from collections import namedtuple

NO_TIME = -1
"""The time of a packet that has none."""


class Section:
    """A file begins, or another that was put behind it. ``program`` and ``system`` are what it says made it."""

    __slots__ = ("comment", "program", "system")

    def __init__(self, program: str = "", system: str = "", comment: str = "") -> None:
        self.program = program
        self.system = system
        self.comment = comment


class Packet(namedtuple("Packet", ("time_ns", "link_type", "data", "size"))):
    """A packet: ``time_ns`` since 1970 or NO_TIME, ``link_type`` how ``data`` begins, ``size`` how long it was on the
    wire."""

    __slots__ = ()

    time_ns: int
    link_type: int
    data: bytes
    size: int


class Custom:
    """What somebody wrote of his own into the statistics of an interface: ``enterprise`` is whose it is."""

    __slots__ = ("data", "enterprise")

    def __init__(self, enterprise: int, data: bytes) -> None:
        self.enterprise = enterprise
        self.data = data


class Damage:
    """``size`` bytes at ``offset`` could not be read, and why. ``torn``: the file ends in the middle of them."""

    __slots__ = ("offset", "reason", "size", "torn")

    def __init__(self, offset: int, size: int, reason: str, torn: bool = False) -> None:
        self.offset = offset
        self.size = size
        self.reason = reason
        self.torn = torn
