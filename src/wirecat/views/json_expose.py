"""Mappings of ports as JSON: one object for each thing that happens, or a list of what is there."""

from __future__ import annotations

import time

from wirecat.views.json_text import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.port_mapping.mapping import Mapping
    from wirecat.reach.leftovers import Leftover


def mapping_object(mapping: Mapping) -> dict[str, object]:
    """What JSON says of a mapping; the public host is null where the router does not tell it."""
    return {
        "protocol": mapping.protocol,
        "external": {"host": mapping.external_host or None, "port": mapping.external_port},
        "internal": {"host": mapping.host, "port": mapping.port},
        "lease": mapping.lifetime,
    }


def expose_line(event: str, mapping: Mapping) -> str:
    """One line: ``event`` (mapped, changed, removed), the time in UTC, and the mapping."""
    now = time.time()
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1_000_000):06d}Z"
    return json_text({"event": event, "time": moment, **mapping_object(mapping)}) + "\n"


def leftovers_json(found: list[Leftover]) -> str:
    """A list: of each mapping also ``pid`` (null where none is known), ``alive`` and ``expired``."""
    rows = [
        {**mapping_object(each.mapping), "pid": each.mapping.pid or None, "alive": each.alive, "expired": each.expired}
        for each in found
    ]
    return json_text(rows, indent=1) + "\n"
