"""Map a port by UPnP (WANIPConnection and WANPPPConnection, versions 1 and 2), without harm to other forwards.

A router may replace a forward without a word when another is asked for on its port. So the table is looked at before
each change: a forward that is not our own is neither replaced nor deleted, unless the user asked for that (``replaced``
is what was there; it is put back when ours is taken back). Where the table is hidden, a port is used that is unlikely
to be forwarded.
"""

from __future__ import annotations

import json
import random
import time

from wirecat.deadline import Deadline
from wirecat.errors import NotExposed
from wirecat.port_mapping.forwards import Forward, ForwardTable, HiddenTable
from wirecat.port_mapping.igd_client import Igd, find_igd
from wirecat.wire.authority import ipv4_octets
from wirecat.wire.igd import CONFLICT, FORWARDED_OTHERWISE, SAME_PORT_ONLY, IgdError, Service, read_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.port_mapping.journal import Journal
    from wirecat.port_mapping.mapping import Mapping

NAME = "wirecat"
"""How the description of each of our forwards begins."""

# Ports that are tried, and those of which one is used where the router does not show its table (RFC 6335 section 6).
_MOST_PORTS = 8
_DYNAMIC = range(49152, 65536)
_SEARCH = 2.0


class PortTaken(NotExposed):
    """Another forward has the port; nothing was changed."""


class Unusable(NotExposed):
    """The router mapped the port, but not so that the mapping can be used: it has to be taken back."""


def is_refusal(error: Exception) -> bool:
    """Whether a router said no, so that nothing was mapped; else that is not known."""
    if isinstance(error, NotExposed):
        return not isinstance(error, Unusable)
    return isinstance(error, IgdError) and error.code != 0


def is_own(forward: Forward, mapping: Mapping) -> bool:
    """Whether a forward is the one of ``mapping``, and not another to the same place.

    A router may cut its name, or drop it: how it shows it is known once it has.
    """
    name = forward.description
    same_name = name == mapping.description if mapping.is_shown else mapping.description.startswith(name)
    return same_name and forward.client in (mapping.host, "") and forward.port in (mapping.port, 0)


def open_table(mapping: Mapping) -> ForwardTable:
    """The table that ``mapping`` is in, at the address where it was last called."""
    service = Service(mapping.service, read_url(mapping.control))
    return ForwardTable(Igd(service.control, "", [service], mapping.host), service)


def _search_table(mapping: Mapping, deadline: Deadline) -> ForwardTable | None:
    """The same table at the address where a router that was restarted is called now; None for no router."""
    found = find_igd(mapping.gateway, Deadline(deadline.within(_SEARCH)), [], mapping.host)
    if found is None or not found.connections:
        return None
    same = [each for each in found.connections if each.type == mapping.service]
    return ForwardTable(found, (same or found.connections)[0])


def _external_host(table: ForwardTable, deadline: Deadline) -> str:
    """The router's public address, "" where it does not tell."""
    try:
        host = table.call("GetExternalIPAddress", {}, deadline).value("NewExternalIPAddress")
    except (OSError, ValueError):
        return ""
    octets = ipv4_octets(host)
    return host if octets is not None and any(octets) else ""


def choose_port(
    table: ForwardTable, wanted: int, replace: bool, deadline: Deadline, journal: Journal
) -> tuple[int, Forward | None]:
    """The first free external port from ``wanted`` on; with ``replace`` it is ``wanted``, with the forward on it.

    Forwards on the way are told. Raises PortTaken where all are taken, HiddenTable where the router does not show it.
    """
    for port in range(wanted, wanted + _MOST_PORTS):
        if port > 65535:
            break
        there = table.find(port, deadline)
        if there is None or replace:
            return port, there
        journal.note(f"port {port} of the router is forwarded {there} already: that is left as it is")
    raise PortTaken(
        f"port {wanted} of the router and the next {_MOST_PORTS - 1} are forwarded already", step="UPnP",
        hint="--replace uses the port, and puts back at the end what was there",
    )  # fmt: skip


def _free_port(table: ForwardTable, wanted: int, deadline: Deadline, journal: Journal) -> int:
    try:
        return choose_port(table, wanted, False, deadline, journal)[0]
    except HiddenTable as error:
        journal.note(f"{error}: another port is used, so that no forward is replaced")
        return random.choice(_DYNAMIC)


def map_by_upnp(asked: Mapping, wanted: int, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map external port ``wanted``, where ``asked.replaced`` gives way, or the first free one from there on.

    ``lease`` 0 asks for one without an end; a router that grants one though another was asked for gives ``lifetime`` 0.
    Raises IgdError for a refusal, PortTaken, and OSError and ValueError where it is not known what the router did.
    """
    table = open_table(asked)
    asked = asked.replace(
        lifetime=lease, expires=time.time() + lease if lease else 0.0, is_shown=False,
        description=f"{NAME} {asked.port} {asked.pid}-{asked.token}",
    )  # fmt: skip
    for _ in range(_MOST_PORTS):
        if not asked.replaced:
            wanted = _free_port(table, wanted, deadline, journal)
        intent = asked.replace(external_port=wanted)
        journal.keep(intent)
        try:
            made = _verified(table, _add(table, intent, deadline), deadline)
        except IgdError as error:
            if error.code == SAME_PORT_ONLY and wanted != asked.port and not asked.replaced:
                wanted = asked.port
            elif error.code in (CONFLICT, FORWARDED_OTHERWISE) and not asked.replaced:
                wanted += 1
            else:
                raise
        else:
            return made.replace(external_host=_external_host(table, deadline))
    raise PortTaken(f"port {wanted} of the router and the {_MOST_PORTS - 1} before it are taken by others", step="UPnP")


def _add(table: ForwardTable, intent: Mapping, deadline: Deadline) -> Mapping:
    """Add the forward of ``intent``; gives the mapping with the port that the router took."""
    forward = Forward(intent.external_port, intent.host, intent.port, intent.description, intent.lifetime)
    if intent.replaced:
        table.delete(read_replaced(intent.replaced), deadline)
    try:
        if table.service.version > 1 and not intent.replaced:
            try:
                return intent.replace(external_port=table.add_any(forward, deadline))
            except (OSError, ValueError) as error:
                if not is_refusal(error) and (found := _find_own(table, intent, deadline)) is not None:
                    return intent.replace(external_port=found.external_port)
        table.add(forward, deadline)
    except (OSError, ValueError) as error:
        # The answer was cut off or malformed: the table tells whether the forward is there.
        if is_refusal(error) or _find_own(table, intent, deadline) is None:
            raise
    return intent


def _find_own(table: ForwardTable, mapping: Mapping, deadline: Deadline) -> Forward | None:
    try:
        there = table.find(mapping.external_port, deadline)
        return there if there is not None and is_own(there, mapping) else _find_named(table, mapping, deadline)
    except (OSError, ValueError):
        return None


def _find_named(table: ForwardTable, mapping: Mapping, deadline: Deadline) -> Forward | None:
    """Ours on another port than was asked for; known by its name alone, as another forward may lead to the same port."""
    entries = table.entries(deadline)
    return next((each for each in entries if each.description.startswith(f"{NAME} ") and is_own(each, mapping)), None)


def _verified(table: ForwardTable, made: Mapping, deadline: Deadline) -> Mapping:
    """What the router shows of a mapping that it says it made. Raises PortTaken where it shows another's forward."""
    try:
        shown = table.find(made.external_port, deadline)
        if shown is None:  # it may have taken another port without a word
            shown = _find_named(table, made, deadline)
    except (OSError, ValueError):
        return made
    if shown is None:
        return made
    if (shown.client not in (made.host, "")) or (shown.port not in (made.port, 0)):
        raise PortTaken(f"the router says that it mapped port {made.external_port}, and shows it forwarded {shown}")
    if made.lifetime and shown.lease == 0:
        made = made.replace(lifetime=0, expires=0.0)
    return made.replace(external_port=shown.external_port, description=shown.description, is_shown=True)


def renew_by_upnp(mapping: Mapping, lease: int, deadline: Deadline, journal: Journal) -> Mapping:
    """Map once more what is mapped; another port where the one that we had is another's now."""
    table, there, _ = _look_up(mapping, deadline)
    mapping = mapping.replace(control=table.service.url, service=table.service.type)
    if there is not None and not is_own(there, mapping):
        raise PortTaken(f"port {mapping.external_port} of the router is forwarded {there} now")
    try:
        table.add(Forward(mapping.external_port, mapping.host, mapping.port, mapping.description, lease), deadline)
    except IgdError as error:
        if error.code not in (CONFLICT, FORWARDED_OTHERWISE):
            raise
        raise PortTaken(f"port {mapping.external_port} of the router is taken by others now") from error
    host = _external_host(table, deadline) or mapping.external_host
    return mapping.replace(lifetime=lease, expires=time.time() + lease if lease else 0.0, external_host=host)


def _look_up(mapping: Mapping, deadline: Deadline) -> tuple[ForwardTable, Forward | None, bool]:
    """The table, what is on the mapping's port there, and whether that is hidden.

    Where the router does not answer at all it is searched for, and asked again.
    """
    table = open_table(mapping)
    try:
        return table, *_shown(table, mapping.external_port, deadline)
    except (OSError, ValueError):
        found = _search_table(mapping, deadline)
        if found is None:
            raise
        return found, *_shown(found, mapping.external_port, deadline)


def _shown(table: ForwardTable, port: int, deadline: Deadline) -> tuple[Forward | None, bool]:
    """What is on a port, and whether that is hidden. Raises OSError and ValueError where the router does not answer."""
    try:
        return table.find(port, deadline), False
    except HiddenTable as error:
        cause = error.__cause__
        if isinstance(cause, (OSError, ValueError)) and not is_refusal(cause):
            raise cause from None
        return None, True


def unmap_by_upnp(mapping: Mapping, deadline: Deadline) -> None:
    """Take the forward back, if it is still ours, and put back what it replaced. Raises OSError, ValueError."""
    table, there, is_hidden = _look_up(mapping, deadline)
    # A router that hides its table, or never showed ours, may have it all the same.
    if is_own(there, mapping) if there is not None else is_hidden or not mapping.is_shown:
        table.delete(Forward(mapping.external_port, mapping.host, mapping.port), deadline)
        there = None
    if mapping.replaced and there is None:
        _put_back(table, read_replaced(mapping.replaced), deadline)


def _put_back(table: ForwardTable, before: Forward, deadline: Deadline) -> None:
    """Add what was there before we came, for as long as it would have stayed."""
    left = int(before.seen + before.lease - time.time()) if before.lease > 0 else 0
    if before.lease > 0 and left <= 0:
        return
    try:
        table.add(before.replace(lease=left), deadline)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"port {before.external_port} was forwarded {before} before, and that could not be put back: {error}"
        ) from error


def read_replaced(text: str) -> Forward:
    """A forward from its fields as JSON. Raises ValueError."""
    fields = json.loads(text)
    if not isinstance(fields, dict) or not set(Forward.field_names()) >= set(fields):
        raise ValueError("no record of a forward")
    return Forward(**fields)
