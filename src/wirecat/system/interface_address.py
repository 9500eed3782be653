"""One address of one of this machine's network interfaces, whatever system told it."""

from __future__ import annotations

import socket

from wirecat.immutable import Immutable


class InterfaceAddress(Immutable):
    """An address and the interface that has it.

    ``name`` is the interface's name ("" where unknown), ``host`` the literal without brackets; a link-local
    IPv6 address has its scope (``fe80::1%eth0``). ``family`` is ``ipv4`` or ``ipv6``. ``loopback`` says
    whether only this machine can reach it; ``up`` whether the interface is switched on and has a link.
    ``prefix_length`` is in bits. ``scope`` is how far the address carries (RFC 4007): ``host``, ``link`` or
    ``global``. ``temporary`` (RFC 8981) and ``deprecated`` (RFC 4862) are IPv6 addresses that soon change.
    None: unknown.
    """

    __slots__ = (
        "name",
        "host",
        "family",
        "loopback",
        "up",
        "prefix_length",
        "scope",
        "temporary",
        "deprecated",
    )

    name: str
    host: str
    family: str
    loopback: bool
    up: bool
    prefix_length: int | None
    scope: str
    temporary: bool | None
    deprecated: bool | None

    def __init__(
        self,
        name: str,
        host: str,
        *,
        loopback: bool | None = None,
        up: bool = True,
        prefix_length: int | None = None,
        scope: str | None = None,
        temporary: bool | None = None,
        deprecated: bool | None = None,
        family: str | None = None,
    ) -> None:
        """``family``, ``loopback`` and ``scope`` are read off the address where they are not given."""
        found = _scope(host)
        self._set(
            name=name,
            host=host,
            family=family or ("ipv6" if ":" in host else "ipv4"),
            loopback=found == "host" if loopback is None else loopback,
            up=up,
            prefix_length=prefix_length,
            scope=scope or found,
            temporary=temporary,
            deprecated=deprecated,
        )


def _scope(host: str) -> str:
    if ":" not in host:
        raw = socket.inet_pton(socket.AF_INET, host)
        return "host" if raw[0] == 127 else "link" if raw[:2] == b"\xa9\xfe" else "global"
    raw = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    if raw == bytes(15) + b"\x01":
        return "host"
    return "link" if raw[0] == 0xFE and raw[1] & 0xC0 == 0x80 else "global"


def format_host(raw: bytes, interface: str = "") -> str:
    """Four or sixteen bytes in network order as text; a link-local IPv6 address gets ``%interface``.

    Raises ValueError for another number of bytes.

    >>> format_host(bytes.fromhex("fe80000000000000" "0000000000000001"), "eth0")
    'fe80::1%eth0'
    """
    if len(raw) == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    host = socket.inet_ntop(socket.AF_INET6, raw)
    return f"{host}%{interface}" if interface and raw[0] == 0xFE and raw[1] & 0xC0 == 0x80 else host
