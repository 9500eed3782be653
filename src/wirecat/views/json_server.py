"""A server's events as JSON, one object a line (``serve --json``). The form is versioned: ``v`` is 1."""

from __future__ import annotations

from datetime import UTC, datetime

from wirecat.address import Address
from wirecat.events import Event, Listening
from wirecat.views.json_text import json_text
from wirecat.views.text_addresses import handed_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1


def address_object(address: Address) -> dict[str, Any]:
    """``{host, port}``, or ``{path}`` for what has no port."""
    if address.port is None:
        return {"path": address.path}
    return {"host": address.host, "port": address.port}


def iso_time(seconds: float) -> str:
    """A wall-clock time in ISO 8601, UTC, with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_line(event: Event) -> str:
    """One event as a line. ``connection`` and ``peer`` are null where it concerns no single client."""
    fields = event.fields()
    out: dict[str, Any] = {
        "v": VERSION, "event": event.name, "time": iso_time(fields.pop("time")),
        "connection": fields.pop("connection", None), "peer": _plain(fields.pop("peer", None)),
    }  # fmt: skip
    fields.pop("monotonic")
    out.update((name, _plain(value)) for name, value in fields.items())
    if isinstance(event, Listening):
        out["hand_out"] = [address_object(address) for address in handed_out(event.addresses)]
    return json_text(out)


def _plain(value: Any) -> Any:
    if isinstance(value, Address):
        return address_object(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value
