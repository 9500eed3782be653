"""A way out of the local network: the gateway that this machine sends to what lies elsewhere."""

from __future__ import annotations

from wirecat.immutable import Immutable


class Route(Immutable):
    """A default route: ``family`` is ipv4 or ipv6, ``gateway`` a literal ("" on a link that needs none; a link-local one
    has its ``%interface``), ``interface`` a name.
    """

    __slots__ = ("family", "gateway", "interface")

    family: str
    gateway: str
    interface: str

    def __init__(self, family: str, gateway: str, interface: str) -> None:
        self._set(family=family, gateway=gateway, interface=interface)
