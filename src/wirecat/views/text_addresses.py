"""Addresses in words: what is listened on, who can reach it, and what to hand out to others."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.system.interfaces import addresses_to_hand_out

_EVERY = ("0.0.0.0", "::")


def opened_to_others(text: str, lan: bool) -> Address:
    """The address to listen on; with ``lan`` a bare port means every interface. Raises UsageError for a contradiction."""
    address = Address.parse(text)
    if not lan:
        return address
    if address.scheme != "tcp":
        raise UsageError("--lan is for TCP ports", address=address)
    if address.host is None:
        return address.replace(host="")
    if address.this_pc_only:
        raise UsageError(f"--lan opens it to others, but {address} is this PC only", hint=f"Write {address.port} --lan")
    return address


def listening_lines(addresses: tuple[Address, ...]) -> list[str]:
    """What to say once it listens: the addresses, and who can reach them."""
    if not any(address.host in _EVERY for address in addresses):
        line = f"listening on {_in_words(list(map(str, addresses)))}"
        if addresses[0].scheme == "tcp" and all(address.this_pc_only for address in addresses):
            line += " (this PC only; --lan opens it to others)"
        return [line]
    port = addresses[0].port
    families = {":" in (address.host or "") for address in addresses}
    hosts = [host for host in addresses_to_hand_out() if (":" in host) in families]
    line = f"listening on port {port} of all interfaces"
    if not hosts:
        return [f"{line}, but this PC has no address that others could use: only programs on it can connect"]
    handed = [str(Address("tcp", host, port)) for host in hosts]
    return [line, f"others connect to: {_in_words(handed, 'or')}"]


def _in_words(parts: list[str], last: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"
