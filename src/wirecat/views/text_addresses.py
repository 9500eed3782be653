"""Addresses in words: what is listened on, who can reach it, and what to hand out to others."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.system.interfaces import addresses_to_hand_out

_EVERY = ("0.0.0.0", "::")


def opened_to_others(text: str, lan: bool) -> Address:
    """The address to listen on; with ``lan`` a bare port means every interface.

    Raises UsageError for a contradiction.
    """
    address = Address.parse(text)
    if not lan:
        return address
    if address.port is None:
        raise UsageError("--lan is for ports", address=address)
    if address.host is None:
        return address.replace(host="")
    if address.this_pc_only:
        raise UsageError(f"--lan opens it to others, but {address} is this PC only", hint=f"Write {address.port} --lan")
    return address


def listening_lines(addresses: tuple[Address, ...]) -> list[str]:
    """What to say once it listens: the addresses, and who can reach them."""
    if not any(address.host in _EVERY for address in addresses):
        line = f"listening on {_in_words(list(map(str, addresses)))}"
        if addresses[0].port is not None and all(address.this_pc_only for address in addresses):
            line += " (this PC only; --lan opens it to others)"
        return [line]
    line = f"listening on port {addresses[0].port} of all interfaces"
    handed = handed_out(addresses)
    if not handed:
        return [f"{line}, but this PC has no address that others could use: only programs on it can connect"]
    return [line, f"others connect to: {_in_words(list(map(str, handed)), 'or')}"]


def handed_out(addresses: tuple[Address, ...]) -> list[Address]:
    """What somebody at another PC can connect to, the likeliest first; empty where that is nothing.

    Never 0.0.0.0 or ::, which name no interface: in their place stand this PC's own addresses.
    """
    found = []
    for address in addresses:
        if address.host in _EVERY:
            continue
        if not address.this_pc_only:
            found.append(address)
    families = {":" in (address.host or "") for address in addresses if address.host in _EVERY}
    if families:
        scheme, port = addresses[0].scheme, addresses[0].port
        found += [Address(scheme, host, port) for host in addresses_to_hand_out() if (":" in host) in families]
    return found


def _in_words(parts: list[str], last: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"
