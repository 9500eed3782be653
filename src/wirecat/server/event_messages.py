"""Events as plain objects for the channel, and back: what a worker tells is an event again at its supervisor."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.events import Closed, Denied, Event, Failed, HalfClosed, Missed, Opened
from wirecat.taps.transcript import NotShown, Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS: dict[str, type[Event]] = {
    kind.name: kind for kind in (Opened, HalfClosed, Closed, Denied, Failed, Missed, Said, NotShown)
}
"""What goes over the channel. That a server listens and stops is its supervisor's to say."""

_ADDRESSES = ("peer", "local")
_FIELDS = {name: frozenset(kind.field_names()) for name, kind in KINDS.items()}


def event_object(event: Event) -> dict[str, Any]:
    """``event`` as an object: its name under ``event``, then its fields."""
    fields = event.fields()
    for name in _ADDRESSES:
        if fields.get(name) is not None:
            fields[name] = address_object(fields[name])
    return {"event": event.name, **fields}


def event_of(message: dict[str, Any]) -> Event:
    """The event that ``event_object`` made ``message`` of. Raises ValueError for what is none."""
    fields = dict(message)
    name = fields.pop("event", None)
    if fields.keys() != _FIELDS.get(name):
        raise ValueError(f"no event: {message}")
    for each in _ADDRESSES:
        if fields.get(each) is not None:
            fields[each] = address_of(fields[each])
    return KINDS[name](**fields)


def address_object(address: Address) -> list[Any]:
    """An address without its options, which are the server's own."""
    return [address.scheme, address.host, address.port, address.path]


def address_of(value: list[Any]) -> Address:
    """The address that ``address_object`` made ``value`` of."""
    scheme, host, port, path = value
    return Address(scheme, host, port, path)
