"""Let IPv6 in through the router's firewall: a pinhole by PCP, or by UPnP asked over IPv6 from the address itself."""

from __future__ import annotations

import os

from wirecat.deadline import Deadline
from wirecat.reach.mappers import map_port
from wirecat.reach.mapping import PCP, PINHOLE, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.router import RouterView

_SECONDS = 1.5


def open_ipv6(view: RouterView, host: str, gateway: str, port: int, lease: int, notes: list[str]) -> Mapping | None:
    """The pinhole that the router opened for ``host``, or None with the reasons in ``notes``."""
    asked = []
    if view.answers["PCP"] == "yes":
        asked.append(Mapping(PCP, gateway, host, port, pid=os.getpid()))
    if view.igd is not None and view.igd.firewalls:
        control = view.igd.firewalls[0].control
        # The same service at the router's IPv6 address: over IPv4 it answers 606, because that is not our address. The
        # interface of a link-local one stays with ``gateway``.
        url = f"http://[{gateway.partition('%')[0]}]:{control.port}{control.target}"
        asked.append(
            Mapping(PINHOLE, gateway, host, port, control=url, service=view.igd.firewalls[0].type, pid=os.getpid())
        )
    for one in asked:
        try:
            return map_port(one, port, lease, Deadline(_SECONDS))
        except (OSError, ValueError) as error:
            notes.append(f"IPv6 is not let in by {one.protocol}: {getattr(error, 'message', '') or error}")
    return None
