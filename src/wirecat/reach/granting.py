"""Which of a router's protocols maps the port, and what is done where one fails halfway."""

from __future__ import annotations

import json
import os

from wirecat.deadline import Deadline
from wirecat.errors import NotExposed
from wirecat.immutable import Immutable
from wirecat.port_mapping.forwards import ForwardTable, HiddenTable
from wirecat.port_mapping.mappers import map_port, unmap_port
from wirecat.port_mapping.mapping import UPNP, Mapping
from wirecat.port_mapping.records import is_alive, read_records
from wirecat.port_mapping.upnp_mapper import PortTaken, Unusable, choose_port, is_refusal, map_by_upnp, open_table
from wirecat.reach.places import PUBLIC, kind_of
from wirecat.system.processes import process_start
from wirecat.wire.igd import INVALID_ARGUMENTS, PERMANENT_LEASES_ONLY, IgdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.port_mapping.journal import Journal
    from wirecat.reach.router import RouterView

# Seconds for a question by datagram, for all calls that one mapping by UPnP takes, and for taking one back.
_DATAGRAM, _CALLS, _BACK = 2.0, 15.0, 8.0
# Ports that a router may want for itself, and that many refuse.
_LOWEST = 1024
_PERMANENT = "--permanent allows one; it is taken back at the end, and listed by: wirecat expose --list"


class Wish(Immutable):
    """What is to be mapped: ``host`` and ``port`` of this machine, for ``lease`` seconds; see ``expose`` for the rest."""

    __slots__ = ("host", "port", "lease", "permanent", "replaces")

    host: str
    port: int
    lease: int
    permanent: bool
    replaces: bool

    def __init__(self, host: str, port: int, lease: int, permanent: bool, replaces: bool) -> None:
        self._set(host=host, port=port, lease=lease, permanent=permanent, replaces=replaces)


def new_mapping(protocol: str, gateway: str, host: str, port: int) -> Mapping:
    """What is to be asked for by this process."""
    pid = os.getpid()
    return Mapping(protocol, gateway, host, port, pid=pid, started=process_start(pid), token=os.urandom(3).hex())


class _Plan:
    """Which port to ask for, by which protocols, and what gives way: as the table shows it, where there is one."""

    def __init__(self, view: RouterView, wish: Wish, journal: Journal) -> None:
        self.wanted = wish.port if wish.port >= _LOWEST else wish.port + 10_000
        self.replaced = ""
        self.refusal = self.hint = ""
        self.protocols = list(view.can_map)
        self._keep_to_one_mapping(view, wish, journal)
        if view.igd is None or view.igd.connection is None:
            return
        table = ForwardTable(view.igd, view.igd.connection)
        deadline = Deadline(_CALLS)
        try:
            self.wanted, there = choose_port(table, self.wanted, wish.replaces, deadline, journal)
            if there is not None:
                journal.note(f"port {self.wanted} of the router is forwarded {there}: that is put back at the end")
                self.replaced = json.dumps(there.fields())
                self.protocols = [UPNP]
            elif any((entry.client, entry.port) == (wish.host, wish.port) for entry in table.entries(deadline)):
                # By the other protocols a port of ours has one mapping, which would be this one (RFC 6886 section 3.4).
                self.protocols = [UPNP]
        except PortTaken as error:
            self.protocols = [name for name in self.protocols if name != UPNP]
            self.refusal = error.message
            self.hint = error.hint
        except HiddenTable:
            pass  # the other protocols replace nothing, and UPnP takes another port then

    def _keep_to_one_mapping(self, view: RouterView, wish: Wish, journal: Journal) -> None:
        """A second mapping of a port by PCP or NAT-PMP would be the first, and would go with either."""
        for record in read_records():
            if (record.gateway, record.host, record.port) == (view.gateway, wish.host, wish.port) and is_alive(record):
                journal.note(f"{record.external} leads to this port already: process {record.pid} keeps it")
                self.protocols = [name for name in self.protocols if name == UPNP]


def map_ipv4(view: RouterView, wish: Wish, journal: Journal) -> Mapping:
    """A mapping by the first protocol that grants one. Raises NotExposed with the reason of each."""
    plan = _Plan(view, wish, journal)
    reasons = [plan.refusal] if plan.refusal else []
    hint = plan.hint
    for protocol in plan.protocols:
        asked = new_mapping(protocol, view.gateway, wish.host, wish.port)
        services = view.igd.connections if protocol == UPNP and view.igd is not None else [None]
        for number, service in enumerate(services):
            if service is not None:
                replaced = plan.replaced if number == 0 else ""
                asked = asked.replace(control=service.url, service=service.type, replaced=replaced)
            try:
                return _grant(asked, plan.wanted, wish, view, journal)
            except (OSError, ValueError) as error:
                message = error.message if isinstance(error, NotExposed) else str(error)
                reasons.append(f"{protocol}: {message}")
                hint = (error.hint if isinstance(error, NotExposed) else "") or hint
                last = journal.last(asked)
                if last is not None and is_refusal(error) and not last.replaced:
                    journal.drop(last)
                elif last is not None and not take_back(last, journal):
                    raise _refusal(view, wish, reasons + journal.notes, hint) from error
    raise _refusal(view, wish, reasons + journal.notes, hint)


def _refusal(view: RouterView, wish: Wish, reasons: list[str], hint: str) -> NotExposed:
    what = "; ".join(dict.fromkeys(reasons)) or "another mapping leads to this port already"
    return NotExposed(f"the router {view.gateway} refuses ({what})", step="expose", address=wish.port, hint=hint)


def _grant(asked: Mapping, wanted: int, wish: Wish, view: RouterView, journal: Journal) -> Mapping:
    try:
        made = map_port(asked, wanted, wish.lease, _limit(asked), journal)
    except IgdError as error:
        # Some call the lease itself wrong, where they know only mappings without an end.
        if error.code not in (PERMANENT_LEASES_ONLY, INVALID_ARGUMENTS):
            raise
        if not wish.permanent:
            words = f"it seems to know only mappings without an end, which a power cut would leave behind ({error})"
            raise NotExposed(words, hint=_PERMANENT) from error
        made = map_port(asked, wanted, 0, _limit(asked), journal)
    if not made.external_host:
        made = made.replace(external_host=view.external or "")
    journal.keep(made)
    if not made.lifetime and wish.lease and not wish.permanent:
        raise Unusable(
            f"it made a mapping without an end, which a power cut would leave behind, though {wish.lease} s were asked for",
            hint=_PERMANENT,
        )
    if not made.external_host:
        raise Unusable("it does not tell its public address, so that it is not known what others connect to")
    if kind_of(made.external_host) != PUBLIC:
        raise Unusable(f"it maps to {made.external_host}, which is no public address")
    return made


def _limit(asked: Mapping) -> Deadline:
    return Deadline(_CALLS if asked.protocol == UPNP else _DATAGRAM)


def map_beside(mapping: Mapping, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map by UPnP on the next free port, where the one that ``mapping`` had is another's now."""
    port, _ = choose_port(open_table(mapping), mapping.external_port, False, deadline, journal)
    made = map_by_upnp(mapping, port, lease, deadline, journal)
    return made.replace(external_host=made.external_host or mapping.external_host)


def take_back(mapping: Mapping, journal: Journal) -> bool:
    """Take a mapping back; where that fails (False) it stays in the journal, and a note tells it."""
    try:
        unmap_port(mapping, Deadline(_BACK))
    except (OSError, ValueError) as error:
        end = f"its lease ends it in {mapping.lifetime} s at the latest" if mapping.lifetime else "it has no end"
        journal.note(
            f"{mapping.external} may still be mapped to port {mapping.port}: it could not be taken back ({error}); {end}. "
            f"Try: wirecat expose --remove {mapping.port}"
        )
        return False
    journal.drop(mapping)
    return True
