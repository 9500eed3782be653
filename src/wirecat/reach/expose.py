"""The verb ``expose``: let the router pass a port on to this PC, for as long as somebody keeps it up."""

from __future__ import annotations

import os
import threading

from wirecat.deadline import Deadline
from wirecat.errors import NotExposed, UsageError
from wirecat.reach.mappers import map_port, renew_port, unmap_port
from wirecat.reach.mapping import NATPMP, PCP, UPNP, Mapping
from wirecat.reach.pinhole import open_ipv6
from wirecat.reach.places import CARRIER, PRIVATE, PUBLIC, kind_of
from wirecat.reach.reaper import Reaper
from wirecat.reach.records import remove_record, write_record
from wirecat.reach.router import UNREADABLE, RouterView, look_at_router
from wirecat.system.interfaces import list_interfaces
from wirecat.system.routes import default_routes
from wirecat.wire.igd import PERMANENT_LEASES_ONLY, IgdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

# Seconds that a mapping lives without being renewed: after a power cut, it is gone as soon.
LEASE = 120
_LOOK = 4.0  # a router that says nothing is given up before five seconds are over
_MAP = 2.0
# Ports that a router may want for itself, and that many refuse.
_LOWEST = 1024
# After a renewal that failed: as long as the lease runs there is time for more.
_AGAIN = 10.0


class Exposure:
    """Mappings that are renewed until ``close``; made by ``expose``. A context manager.

    ``mappings`` are those that stand now: one for IPv4, and one for IPv6 where the router opens pinholes. ``notes`` say
    what could not be done beside that.
    """

    def __init__(
        self, mappings: list[Mapping], lease: int, notes: list[str], on_change: Callable[[Mapping], None] | None
    ) -> None:
        self._mappings = mappings
        self._lease = lease
        self._on_change = on_change
        self.notes = notes
        self._lock = threading.Lock()
        self._ended = threading.Event()
        try:
            self._reaper = Reaper()
        except OSError as error:  # no more processes: what was mapped must not stay
            for mapping in mappings:
                unmap_port(mapping, Deadline(_MAP))
            raise NotExposed("no process can be started to take it back after a crash", step="expose") from error
        self._keep()
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

    def _keep(self) -> None:
        """Write down what stands, for other programs and for the reaper."""
        mappings = list(self.mappings)
        self._reaper.tell(mappings)
        for mapping in mappings:
            try:
                write_record(mapping)
            except OSError as error:
                self.notes.append(f"the record of it cannot be written: {error.strerror or error}")

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
                if renewed.external != mapping.external and self._on_change is not None:
                    self._on_change(renewed)
            if not self._ended.is_set():
                self._keep()

    def _renew_one(self, mapping: Mapping) -> Mapping | None:
        if not mapping.lifetime:
            return mapping
        try:
            return renew_port(mapping, self._lease, Deadline(_MAP))
        except IgdError:
            # A pinhole, or a mapping, that a restarted router no longer knows is asked for anew.
            fresh = mapping.replace(pinhole="")
        except (OSError, ValueError):
            return None
        try:
            return map_port(fresh, mapping.external_port, self._lease, Deadline(_MAP))
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Take the mappings back. A second time does nothing. Never raises: what cannot be taken back is in ``notes``."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join(_MAP * 2)
        left = []
        for mapping in self.mappings:
            try:
                unmap_port(mapping, Deadline(_MAP))
                remove_record(mapping)
            except (OSError, ValueError) as error:
                left.append(mapping)
                self.notes.append(f"{mapping.external} could not be taken back: {error}")
        # What is left is tried once more by the reaper; after that its lease ends it.
        self._reaper.tell(left)
        self._reaper.close()

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
    on_change: Callable[[Mapping], None] | None = None,
) -> Exposure:
    """Let the router pass TCP ``port`` on to this PC: by PCP, else NAT-PMP, else UPnP; and by IPv6 where it can.

    ``lease`` is how many seconds the router keeps it without hearing of it again; it is renewed at half of that.
    ``permanent`` allows a mapping without an end to routers that know no other: it is taken back all the same.
    ``on_change`` is called, in a thread of its own, when the public address or port has changed.

    Raises NotExposed with the reason (no router, none that maps ports, a carrier's or a second router's translation) and
    UsageError for a port that cannot be.

        with wirecat.expose(12345) as exposure:
            print("others connect to", exposure.address)
    """
    if not 1 <= port <= 65535:
        raise UsageError(f"a port is 1 to 65535, not {port}", step="expose")
    interfaces, routes = list_interfaces(), default_routes()
    notes: list[str] = []
    from wirecat.reach.findings import lan_address

    own = lan_address(interfaces, routes, "ipv4")
    gateway = next((route.gateway for route in routes if route.family == "ipv4"), "")
    if own is None or not gateway:
        raise NotExposed("there is no router to ask: this PC has no way out", step="expose", address=port)
    if kind_of(own.host) == PUBLIC:
        raise NotExposed(f"{own.host} is a public address: nothing has to be mapped", step="expose", address=port)
    view = look_at_router(gateway, own.host, port, _LOOK)
    _require_public(view, port)
    mappings = [_map(view, own.host, port, lease, permanent)]
    six = lan_address(interfaces, routes, "ipv6")
    route6 = next((route for route in routes if route.family == "ipv6"), None)
    if six is not None and route6 is not None and route6.gateway and kind_of(six.host) == PUBLIC:
        pinhole = open_ipv6(view, six.host, route6.gateway, port, lease, notes)
        if pinhole is not None:
            mappings.append(pinhole)
    return Exposure(mappings, lease, notes, on_change)


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


def _map(view: RouterView, host: str, port: int, lease: int, permanent: bool) -> Mapping:
    """A mapping by the first protocol that grants one."""
    wanted = port if port >= _LOWEST else port + 10_000
    reasons = []
    for protocol in (PCP, NATPMP, UPNP):
        if protocol not in view.can_map:
            continue
        asked = Mapping(protocol, view.gateway, host, port, pid=os.getpid())
        if protocol == UPNP:
            if view.igd is None or view.igd.connection is None:
                continue
            control = view.igd.connection.control
            asked = asked.replace(
                control=f"http://{control.authority}{control.target}", service=view.igd.connection.type
            )
        try:
            return _granted(asked, wanted, lease, permanent, view)
        except (OSError, ValueError) as error:
            reasons.append(f"{protocol}: {getattr(error, 'message', '') or error}")
    raise NotExposed(f"the router {view.gateway} refuses ({'; '.join(reasons)})", step="expose", address=port)


def _granted(asked: Mapping, wanted: int, lease: int, permanent: bool, view: RouterView) -> Mapping:
    try:
        made = map_port(asked, wanted, lease, Deadline(_MAP))
    except IgdError as error:
        if error.code != PERMANENT_LEASES_ONLY:
            raise
        if not permanent:
            raise NotExposed(
                "it knows only mappings without an end, which a power cut would leave behind",
                hint="--permanent allows one; it is taken back at the end, and listed by wirecat expose --list",
            ) from error
        made = map_port(asked, wanted, 0, Deadline(_MAP))
    if not made.external_host:
        made = made.replace(external_host=view.external or "")
    if made.external_host and kind_of(made.external_host) != PUBLIC:
        unmap_port(made, Deadline(_MAP))
        raise NotExposed(f"it maps to {made.external_host}, which is no public address")
    return made


def _pause(mappings: tuple[Mapping, ...], lease: int) -> float:
    """Half of the shortest lease (RFC 6886 section 3.3)."""
    return min([mapping.lifetime for mapping in mappings if mapping.lifetime] or [lease]) / 2
