"""Loose source routing (``-g``, ``-G``): the hops as the address option that the library takes."""

from __future__ import annotations

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import quitting
from wirecat.cli.ncat.opening import is_literal
from wirecat.cli.ncat.reasons import lookup_reason
from wirecat.errors import UnknownHost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.ncat.settings import Settings

MOST_HOPS = 8
FIRST_POINTER = 4


def route_option(settings: Settings) -> str:
    """``HOP,HOP,…`` in numbers, with ``@POINTER`` where one was given. Raises Ending."""
    hops = [hop for hop in (settings.hops or "").split(",") if hop]
    if len(hops) > MOST_HOPS:
        raise quitting(messages.TOO_MANY_HOPS)
    if settings.ipv6:
        raise quitting(messages.HOPS_AND_IPV6)
    pointer = FIRST_POINTER if settings.hop_pointer is None else settings.hop_pointer
    return f"{','.join(_address_of(hop, settings) for hop in hops)}@{pointer}"


def _address_of(hop: str, settings: Settings) -> str:
    from wirecat.address import Address
    from wirecat.deadline import Deadline
    from wirecat.endpoints.resolve import resolve

    if settings.nodns and not is_literal(hop):
        raise quitting(f'Sorry, could not resolve source route hop "{hop}": Name or service not known.')
    try:
        found = resolve(Address("tcp", hop, 1, options=(("family", "4"),)), Deadline(None))
    except UnknownHost as error:
        raise quitting(f'Sorry, could not resolve source route hop "{hop}": {lookup_reason(error)}.') from error
    host: str = found[0][1][0]
    return host
