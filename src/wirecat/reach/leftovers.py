"""Mappings that are there already: those of our records, and those in the router's table that bear our name.

What a crash left behind is listed and taken back from here; what a living process keeps is its own to take back.
"""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.reach.findings import lan_address
from wirecat.reach.igd_client import Igd, find_igd
from wirecat.reach.mappers import DESCRIPTION, unmap_port
from wirecat.reach.mapping import UPNP, Mapping
from wirecat.reach.records import is_alive, is_kept, read_records, remove_record
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes
from wirecat.wire.igd import IgdError

_SECONDS = 2.0
_MOST_ENTRIES = 64


class Leftover:
    """A mapping that is there: whether a living process ``is_kept`` it, and whether its lease has run out."""

    __slots__ = ("alive", "expired", "mapping")

    def __init__(self, mapping: Mapping, alive: bool, expired: bool) -> None:
        self.mapping = mapping
        self.alive = alive
        self.expired = expired


def list_mappings(seconds: float = _SECONDS) -> list[Leftover]:
    """All that is known: records first, then what else the router's table shows of this PC under our name."""
    found = [Leftover(record, is_alive(record), not is_kept(record)) for record in read_records()]
    known = {(each.mapping.host, each.mapping.external_port) for each in found}
    interfaces, routes = list_interfaces(), default_routes()
    own = lan_address(interfaces, routes, "ipv4")
    gateway = next((route.gateway for route in routes if route.family == "ipv4"), "")
    if own is not None and gateway:
        deadline = Deadline(seconds)
        try:
            igd = find_igd(gateway, deadline, [])
        except OSError:
            igd = None
        if igd is not None:
            found += [each for each in _table(igd, own.host, gateway, deadline)
                      if (each.mapping.host, each.mapping.external_port) not in known]  # fmt: skip
    return found


def _table(igd: Igd, own_host: str, gateway: str, deadline: Deadline) -> list[Leftover]:
    service = igd.connection
    found: list[Leftover] = []
    if service is None:
        return found
    for index in range(_MOST_ENTRIES):
        try:
            entry = igd.call(service, "GetGenericPortMappingEntry", {"NewPortMappingIndex": str(index)}, deadline)
        except IgdError:
            break
        except (OSError, ValueError):
            break
        ports = (entry.get("NewInternalPort", ""), entry.get("NewExternalPort", ""))
        if (
            entry.get("NewInternalClient") == own_host
            and entry.get("NewPortMappingDescription", "").startswith(f"{DESCRIPTION} ")
            and all(port.isascii() and port.isdigit() and len(port) <= 5 for port in ports)
        ):
            control = f"http://{service.control.authority}{service.control.target}"
            mapping = Mapping(UPNP, gateway, own_host, int(ports[0]), external_port=int(ports[1]), control=control,
                              service=service.type)  # fmt: skip
            found.append(Leftover(mapping, False, False))
    return found


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
            if not each.expired:
                unmap_port(mapping, Deadline(_SECONDS))
            remove_record(mapping)
        except (OSError, ValueError) as error:
            notes.append(f"{mapping.external} could not be taken back: {error}")
        else:
            removed.append(mapping)
    return removed, notes
