"""Let IPv6 in through the router's firewall: a pinhole by PCP, or by UPnP asked over IPv6 from the address itself."""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.errors import NotExposed
from wirecat.port_mapping.mappers import map_port
from wirecat.port_mapping.mapping import PCP, PINHOLE, Mapping
from wirecat.port_mapping.upnp_mapper import is_refusal
from wirecat.reach.granting import new_mapping, take_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.port_mapping.journal import Journal
    from wirecat.reach.router import RouterView

_SECONDS = 1.5


def open_ipv6(view: RouterView, host: str, gateway: str, port: int, lease: int, journal: Journal) -> Mapping | None:
    """The pinhole that the router opened for ``host``, or None with the reasons in the journal's notes."""
    asked = []
    if view.answers["PCP"] == "yes":
        asked.append(new_mapping(PCP, gateway, host, port))
    if view.igd is not None and view.igd.firewalls:
        control = view.igd.firewalls[0].control
        # The same service at the router's IPv6 address: over IPv4 it answers 606, because that is not our address. The
        # interface of a link-local one stays with ``gateway``.
        url = f"http://[{gateway.partition('%')[0]}]:{control.port}{control.target}"
        asked.append(new_mapping(PINHOLE, gateway, host, port).replace(control=url, service=view.igd.firewalls[0].type))
    for one in asked:
        try:
            made = map_port(one, port, lease, Deadline(_SECONDS), journal)
        except (OSError, ValueError) as error:
            message = error.message if isinstance(error, NotExposed) else str(error)
            journal.note(f"IPv6 is not let in by {one.protocol}: {message}")
            last = journal.last(one)
            if last is not None and is_refusal(error):
                journal.drop(last)
            elif last is not None:
                take_back(last, journal)
        else:
            journal.keep(made)
            return made
    return None
