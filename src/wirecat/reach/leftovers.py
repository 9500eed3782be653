"""Mappings that are there already: those of our records, and those in the router's table that bear our name.

What a crash left behind is listed and taken back from here; what a living process keeps is its own to take back.
"""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.port_mapping.forwards import ForwardTable
from wirecat.port_mapping.igd_client import Igd, find_igd
from wirecat.port_mapping.mappers import unmap_port
from wirecat.port_mapping.mapping import UPNP, Mapping
from wirecat.port_mapping.records import is_alive, is_kept, read_records, remove_record
from wirecat.port_mapping.upnp_mapper import NAME
from wirecat.reach.findings import lan_address
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes

# Seconds to look for the router, and for what one mapping takes.
_SEARCH, _SECONDS = 2.0, 8.0


class Leftover:
    """A mapping that is there: whether a living process ``is_kept`` it, and whether its lease has run out."""

    __slots__ = ("alive", "expired", "mapping")

    def __init__(self, mapping: Mapping, alive: bool, expired: bool) -> None:
        self.mapping = mapping
        self.alive = alive
        self.expired = expired


def list_mappings() -> list[Leftover]:
    """All that is known: records first, then what else the router's table shows of this PC under our name."""
    found = [Leftover(record, is_alive(record), not is_kept(record)) for record in read_records()]
    known = {(each.mapping.host, each.mapping.external_port) for each in found}
    interfaces, routes = list_interfaces(), default_routes()
    own = lan_address(interfaces, routes, "ipv4")
    gateway = next((route.gateway for route in routes if route.family == "ipv4"), "")
    if own is not None and gateway:
        try:
            igd = find_igd(gateway, Deadline(_SEARCH), [])
        except OSError:
            igd = None
        if igd is not None:
            found += [each for each in _table(igd, own.host, gateway, Deadline(_SECONDS))
                      if (each.mapping.host, each.mapping.external_port) not in known]  # fmt: skip
    return found


def _table(igd: Igd, own_host: str, gateway: str, deadline: Deadline) -> list[Leftover]:
    """The forwards to this machine that bear our name. The name tells the process too, if that was on this machine."""
    found: list[Leftover] = []
    for service in igd.connections:
        try:
            for entry in ForwardTable(igd, service).entries(deadline):
                words = entry.description.split()
                if entry.client != own_host or words[:2] != [NAME, str(entry.port)] or not 0 < entry.port < 65536:
                    continue
                pid = words[2].partition("-")[0] if len(words) > 2 else ""
                mapping = Mapping(
                    UPNP, gateway, own_host, entry.port, external_port=entry.external_port, control=service.url,
                    service=service.type, description=entry.description, is_shown=True, lifetime=max(entry.lease, 0),
                    pid=int(pid) if pid.isascii() and pid.isdigit() and len(pid) < 10 else 0,
                )  # fmt: skip
                found.append(Leftover(mapping, is_alive(mapping), False))
        except (OSError, ValueError):
            continue
    return found


def remove_leftovers(gateway: str, host: str, port: int) -> list[str]:
    """Take back what ended processes left for the same port; a line for each that was not, and for what has no end."""
    notes = []
    for record in read_records():
        if is_alive(record):
            continue
        if (record.gateway, record.host, record.port) == (gateway, host, port):
            try:
                _remove(Leftover(record, False, not is_kept(record)))
            except (OSError, ValueError) as error:
                notes.append(f"{record.external}, left by an earlier run, could not be taken back: {error}")
        elif not record.lifetime and record.gateway == gateway:
            notes.append(
                f"{record.external}, left by an earlier run, has no end: wirecat expose --remove {record.port}"
            )
    return notes


def _remove(leftover: Leftover) -> None:
    mapping = leftover.mapping
    if not leftover.expired or mapping.replaced:
        unmap_port(mapping, Deadline(_SECONDS))
    remove_record(mapping)


def remove_mappings(port: int | None) -> tuple[list[Mapping], list[str]]:
    """Take back what no living process keeps, of ``port`` or of all; what was, and a line for each that was not."""
    removed, notes = [], []
    for each in list_mappings():
        mapping = each.mapping
        if port is not None and mapping.port != port:
            continue
        if each.alive:
            notes.append(f"{mapping.external} is kept by process {mapping.pid}: end that one")
            continue
        try:
            _remove(each)
        except (OSError, ValueError) as error:
            notes.append(f"{mapping.external} could not be taken back: {error}")
        else:
            removed.append(mapping)
    return removed, notes
