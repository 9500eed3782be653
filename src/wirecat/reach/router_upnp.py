"""What a router tells by UPnP: the state of each of its ways out, its table of forwards, its pinholes."""

from __future__ import annotations

import threading
from itertools import chain

from wirecat.deadline import Deadline
from wirecat.port_mapping.exchange import Closed, run_at_once
from wirecat.port_mapping.forwards import ForwardTable
from wirecat.port_mapping.igd_client import find_igd, upnp_is_closed
from wirecat.reach.places import PUBLIC, kind_of
from wirecat.wire.authority import ipv4_octets
from wirecat.wire.igd import IgdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.port_mapping.igd_client import Igd
    from wirecat.reach.router import RouterView
    from wirecat.wire.igd import Service

# Seconds that the search itself may take; a router that answers it gets as long as the whole view may take, once more.
_SEARCH = 2.5
_UP = "connected"


class WayOut:
    """A connection service and what it says of itself: ``status`` ("" unknown), ``host`` (None unknown, "" none).

    ``is_silent``: it was asked for its address, and did not answer so that it can be read.
    """

    __slots__ = ("host", "is_silent", "service", "status")

    def __init__(self, service: Service) -> None:
        self.service = service
        self.status = ""
        self.host: str | None = None
        self.is_silent = False

    @property
    def is_down(self) -> bool:
        """Whether it says that it is not connected."""
        return bool(self.status) and self.status.lower() != _UP

    def rank(self) -> tuple[bool, int, bool]:
        """Sorts the better first: up before down, then the better address, then a status that was told."""
        address = 3 if self.host is None else 2 if not self.host else 1 if kind_of(self.host) != PUBLIC else 0
        return self.is_down, address, not self.status


def search_igd(view: RouterView, seconds: float) -> Igd | None:
    """The router as UPnP describes it; None for silence. Raises Closed and Unreadable."""
    closed = threading.Event()
    limit = Deadline(min(_SEARCH, seconds))

    def knock() -> None:
        if upnp_is_closed(view.gateway, limit.within(1.0)):
            closed.set()

    knocking = threading.Thread(target=knock, name="wirecat-reach", daemon=True)
    knocking.start()
    try:
        found = find_igd(view.gateway, limit, view.asked, closed=closed, patience=seconds)
    finally:
        knocking.join()
    if found is None and closed.is_set():
        raise Closed("nothing listens there")
    return found


def ask_igd(view: RouterView, igd: Igd, own_host: str, port: int, seconds: float) -> None:
    """Fill in what the services of ``igd`` tell, within ``seconds``."""
    deadline = Deadline(seconds)
    ways = [WayOut(service) for service in igd.connections]
    run_at_once([_asking(view, igd, way, deadline) for way in ways])
    ways.sort(key=WayOut.rank)
    if ways:
        _choose(view, igd, ways)
        _find_mapping(view, igd, [way for way in ways if not way.is_down] or ways, own_host, port, deadline)
    _ask_pinholes(view, igd, deadline)


def _asking(view: RouterView, igd: Igd, way: WayOut, deadline: Deadline) -> Callable[[], None]:
    name = way.service.type.removeprefix("urn:schemas-upnp-org:service:")

    def ask() -> None:
        try:
            host = igd.call(way.service, "GetExternalIPAddress", {}, deadline).value("NewExternalIPAddress")
            octets = ipv4_octets(host)
            if host and octets is None:
                raise ValueError(f"a public address that is none: {host[:60]!r}")
            way.host = host if octets is not None and any(octets) else ""
        except (OSError, ValueError) as error:
            way.is_silent = not (isinstance(error, IgdError) and error.code)
            view.asked.append(f"UPnP {view.gateway} {name}: its public address is not told: {error}")
        else:
            view.asked.append(f"UPnP {view.gateway} {name}: public address {way.host or 'none'}")
        try:
            way.status = igd.call(way.service, "GetStatusInfo", {}, deadline).value("NewConnectionStatus")[:40]
        except (OSError, ValueError) as error:
            view.asked.append(f"UPnP {view.gateway} {name}: its status is not told: {error}")
        else:
            view.asked.append(f"UPnP {view.gateway} {name}: its status is {way.status!r}")

    return ask


def _choose(view: RouterView, igd: Igd, ways: list[WayOut]) -> None:
    """Take the best way out. Its address counts if it is public, or if every other way has told its own."""
    best = ways[0]
    igd.connection = best.service
    igd.connections = [way.service for way in ways]
    if best.host and kind_of(best.host) == PUBLIC:
        view.tell_external(best.host, "UPnP")
        return
    view.untold += [way.service.type for way in ways if way.is_silent and not way.is_down and len(ways) > 1]
    if best.host is not None and not view.untold:
        view.tell_external(best.host, "UPnP")
        if not best.host and best.status.lower() == _UP:
            # It is up, so it has an address, and one that it may not name as public.
            view.without_address = "UPnP, though connected"


def _find_mapping(view: RouterView, igd: Igd, ways: list[WayOut], own_host: str, port: int, deadline: Deadline) -> None:
    """Look for a forward to our port: under its own number first, then in the whole table, as far as it is short."""
    for way in ways:
        table = ForwardTable(igd, way.service)
        try:
            for entry in chain([table.find(port, deadline)], table.entries(deadline)):
                if (
                    entry is not None
                    and (entry.client, entry.port, entry.remote) == (own_host, port, "")
                    and entry.enabled
                ):
                    view.mapping = ("UPnP", entry.external_port)
                    return
        except (OSError, ValueError) as error:
            view.asked.append(f"UPnP {view.gateway}: {error}")


def _ask_pinholes(view: RouterView, igd: Igd, deadline: Deadline) -> None:
    for service in list(igd.firewalls):
        try:
            status = igd.call(service, "GetFirewallStatus", {}, deadline)
        except (OSError, ValueError) as error:
            view.asked.append(f"UPnP {view.gateway}: its IPv6 firewall is not told: {error}")
            continue
        allowed = status.value("InboundPinholeAllowed").lower() in ("1", "true", "yes")
        view.asked.append(f"UPnP {view.gateway}: IPv6 pinholes {'allowed' if allowed else 'not allowed'}")
        view.pinholes = view.pinholes or allowed
        if allowed:
            igd.firewalls = [service]
            return
