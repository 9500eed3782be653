"""The verb ``expose``: let the router pass a port on to this PC, for as long as somebody keeps it up."""

from __future__ import annotations

import threading

from wirecat.deadline import Deadline
from wirecat.errors import NotExposed, UsageError
from wirecat.port_mapping.journal import Journal
from wirecat.port_mapping.mappers import renew_port
from wirecat.port_mapping.upnp_mapper import PortTaken, is_refusal
from wirecat.reach.granting import Wish, map_beside, map_ipv4, take_back
from wirecat.reach.leftovers import remove_leftovers
from wirecat.reach.pinhole import open_ipv6
from wirecat.reach.places import CARRIER, PRIVATE, PUBLIC, kind_of
from wirecat.reach.router import UNREADABLE, RouterView, look_at_router
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from wirecat.port_mapping.mapping import Mapping

# Seconds that a mapping lives without being renewed: after a power cut, it is gone as soon.
LEASE = 120
_LOOK = 4.0  # a router that says nothing is given up before five seconds are over
_RENEW = 10.0
# After a renewal that failed: as long as the lease runs there is time for more.
_AGAIN = 10.0


class Exposure:
    """Mappings that are renewed until ``close``; made by ``expose``. A context manager.

    ``mappings`` are those that stand now: one for IPv4, and one for IPv6 where the router opens pinholes. ``notes`` say
    what could not be done beside that, and what was there already; ``left`` are those that ``close`` could not take back.
    """

    def __init__(
        self, journal: Journal, mappings: list[Mapping], lease: int, on_change: Callable[[Mapping], None] | None
    ) -> None:
        self._journal = journal
        self._mappings = mappings
        self._lease = lease
        self._on_change = on_change
        self.notes = journal.notes
        self.left: list[Mapping] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="wirecat-expose", daemon=True)
        self._thread.start()

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """What stands now."""
        with self._lock:
            return tuple(self._mappings)

    @property
    def address(self) -> str:
        """What others connect to, as an address: ``203.0.113.5:12345``."""
        return self.mappings[0].external

    def _renew(self) -> None:
        pause = _pause(self.mappings, self._lease)
        while not self._ended.wait(pause):
            pause = _pause(self.mappings, self._lease)
            for number, mapping in enumerate(self.mappings):
                renewed = self._renew_one(mapping)
                if renewed is None:
                    pause = min(pause, _AGAIN)
                    continue
                with self._lock:
                    self._mappings[number] = renewed
                self._journal.keep(renewed)
                if renewed.external != mapping.external and self._on_change is not None:
                    self._on_change(renewed)

    def _renew_one(self, mapping: Mapping) -> Mapping | None:
        """The mapping renewed, or made anew by a restarted router, elsewhere if need be; None where that failed."""
        lease = self._lease if mapping.lifetime else 0
        try:
            return renew_port(mapping, lease, Deadline(_RENEW), self._journal)
        except PortTaken:
            # It is another's now, so nothing has to be taken back, or put back.
            try:
                return map_beside(mapping.replace(replaced=""), lease, Deadline(_RENEW), self._journal)
            except (OSError, ValueError) as error:
                last = self._journal.last(mapping)
                if last is not None and not is_refusal(error) and not take_back(last, self._journal):
                    return last
                self._journal.keep(mapping)
                return None
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Take the mappings back. A second time does nothing. Never raises: what cannot be taken back is in ``notes``."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join(_RENEW)
        self.left = [mapping for mapping in self.mappings if not take_back(mapping, self._journal)]
        # What is left is tried once more by the reaper; after that its lease ends it.
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def expose(
    port: int,
    *,
    lease: int = LEASE,
    permanent: bool = False,
    replace: bool = False,
    on_change: Callable[[Mapping], None] | None = None,
) -> Exposure:
    """Let the router pass TCP ``port`` on to this machine: by PCP, else NAT-PMP, else UPnP; and by IPv6 where it can.

    ``lease`` is how many seconds the router keeps it without hearing of it again; it is renewed at half of that.
    ``permanent`` allows a mapping without an end to routers that know no other: it is taken back all the same.
    A forward that the router shows on the port already is left as it is, and the next free port is used; with
    ``replace`` it gives way, and is put back at the end. ``on_change`` is called, in a thread of its own, when the public
    address or port has changed.

    Raises NotExposed with the reason (no router, none that maps ports, a carrier's or a second router's translation) and
    UsageError for a port that cannot be.

        with wirecat.expose(12345) as exposure:
            print("others connect to", exposure.address)
    """
    if not 1 <= port <= 65535:
        raise UsageError(f"a port is 1 to 65535, not {port}", step="expose")
    interfaces, routes = list_interfaces(), default_routes()
    from wirecat.reach.findings import lan_address

    own = lan_address(interfaces, routes, "ipv4")
    gateway = next((route.gateway for route in routes if route.family == "ipv4"), "")
    if own is None or not gateway:
        raise NotExposed("there is no router to ask: this PC has no way out", step="expose", address=port)
    if kind_of(own.host) == PUBLIC:
        raise NotExposed(f"{own.host} is a public address: nothing has to be mapped", step="expose", address=port)
    left = remove_leftovers(gateway, own.host, port)
    view = look_at_router(gateway, own.host, port, _LOOK)
    _require_public(view, port)
    try:
        journal = Journal()
    except OSError as error:
        raise NotExposed("no process can be started to take it back after a crash", step="expose") from error
    journal.notes += left
    try:
        wish = Wish(own.host, port, lease, permanent, replace)
        mappings = [map_ipv4(view, wish, journal)]
        six = lan_address(interfaces, routes, "ipv6")
        route6 = next((route for route in routes if route.family == "ipv6"), None)
        if six is not None and route6 is not None and route6.gateway and kind_of(six.host) == PUBLIC:
            pinhole = open_ipv6(view, six.host, route6.gateway, port, lease, journal)
            if pinhole is not None:
                mappings.append(pinhole)
    except BaseException:
        journal.close()
        raise
    return Exposure(journal, mappings, lease, on_change)


def _require_public(view: RouterView, port: int) -> None:
    """Raise NotExposed where the router can do nothing, and say what would help."""
    relay = f"a relay on a rented host: ssh -R {port}:localhost:{port} YOUR-HOST"
    kind = kind_of(view.external) if view.external else ""
    if kind == CARRIER:
        raise NotExposed(
            f"the router's own address is {view.external}: the provider translates addresses once more (carrier NAT), so "
            "this router cannot help",
            step="expose", address=port, hint=f"What would: IPv6, a public address from the provider, or {relay}",
        )  # fmt: skip
    if kind == PRIVATE:
        raise NotExposed(
            f"the router's own address is {view.external}: another router translates behind it (double NAT), so this one "
            "cannot help alone",
            step="expose", address=port, hint=f"What would: a forward in the other router too, IPv6, or {relay}",
        )  # fmt: skip
    if view.external == "" or (view.external and kind != PUBLIC):
        raise NotExposed(
            "the router says it has no public address: the provider or another router translates once more",
            step="expose", address=port, hint=f"What would help: IPv6, a public address, or {relay}",
        )  # fmt: skip
    if not view.can_map:
        answered = any(view.answers[name] == UNREADABLE for name in view.answers)
        switch = "Make the forward in the router" if answered else (
            "Switch UPnP or NAT-PMP on in the router, or make the forward there")  # fmt: skip
        raise NotExposed(
            f"the router {view.gateway} maps no ports on demand ({view.describe()})",
            step="expose", address=port, hint=f"{switch} by hand; else {relay}",
        )  # fmt: skip


def _pause(mappings: tuple[Mapping, ...], lease: int) -> float:
    """Half of the shortest lease (RFC 6886 section 3.3)."""
    return min([mapping.lifetime for mapping in mappings if mapping.lifetime] or [lease]) / 2
