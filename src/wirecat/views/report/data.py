"""A report as one JSON document, or the figures behind one of its pictures. The form is versioned: ``v`` is 1."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.errors import AddressError
from wirecat.views.json_server import address_object, iso_time
from wirecat.views.json_text import json_text
from wirecat.views.report.picture_latency import percentile
from wirecat.views.report.picture_sockets import fullest
from wirecat.views.report.story import RESET, SERVER
from wirecat.views.report.summary import sentences, title_of, warnings
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.views.report.story import SocketTable, Story, Talk, Turn
    from wirecat.views.report.words import Words

VERSION = 1


def report_json(story: Story, words: Words, picture: str | None = None) -> str:
    """The document, which ends with a line feed. ``picture`` names the part that is wanted; None: all but the turns."""
    parts: dict[str, Any] = {"v": VERSION}
    if picture is None:
        parts |= {
            "title": title_of(story, words), "author": story.author or None, "machine": story.machine or None,
            "recordings": list(story.sources), "started": _time(story.started), "ended": _time(story.ended),
            "summary": sentences(story, words), "notes": warnings(story, words),
            "most_open": story.most_open(),
        }  # fmt: skip
    if picture in (None, "timeline"):
        parts["connections"] = [_talk(talk) for talk in story.talks]
    if picture in ("sequence", "terminal"):
        parts["connections"] = [
            _talk(talk) | {"signs": _signs(talk), "pieces": [_turn(turn) for turn in talk.turns]}
            for talk in story.talks
        ]
    if picture in (None, "bytes"):
        volume = story.volume
        parts["bytes"] = {
            "from": _time(volume.start), "slice_seconds": volume.slice / 1e9,
            "to_server": list(volume.asked), "to_client": list(volume.answered),
        }  # fmt: skip
    if picture in (None, "latency"):
        parts["latency_us"] = _latency(story)
    if picture in (None, "sockets"):
        table = fullest(story)
        parts["sockets"] = None if table is None else _table(table)
    return json_text(parts, indent=1) + "\n"


def _time(nanoseconds: int) -> str | None:
    try:
        return iso_time(nanoseconds // 1000 / 1e6)
    except (OverflowError, ValueError, OSError):  # a recording may claim any time
        return None


def _address(text: str) -> dict[str, Any]:
    try:
        return address_object(Address.parse(text))
    except AddressError:
        return {"path": printable(text)}


def _talk(talk: Talk) -> dict[str, Any]:
    return {
        "number": talk.number, "protocol": talk.protocol, "client": _address(talk.client),
        "server": _address(talk.server), "opened": _time(talk.opened),
        "closed": None if talk.closed is None else _time(talk.closed), "end": talk.ending,
        "closed_by": talk.closed_by or None, "to_server": talk.asked, "to_client": talk.answered,
        "pieces_count": talk.turn_count, "missing": talk.lost, "note": talk.note or None,
    }  # fmt: skip


def _signs(talk: Talk) -> list[dict[str, Any]]:
    """What passed besides bytes, in the order of time: handshake, ends, a reset."""
    names = (("SYN", True), ("SYN+ACK", False), ("ACK", True))
    found = [(time, name, way) for time, (name, way) in zip(talk.handshake, names, strict=False)]
    for time, way in talk.fins:
        found.append((time, "FIN+ACK" if (time, way) in talk.acks else "FIN", way))
        found += [(when, "ACK", side) for when, side in talk.acks if side != way and (when, side) not in talk.fins]
    if talk.ending == RESET and talk.closed is not None:
        found.append((talk.closed, "RST", talk.closed_by != SERVER))
    return [
        {"time": _time(time), "direction": "to_server" if way else "to_client", "sign": name}
        for time, name, way in sorted(found, key=lambda each: each[0])
    ]


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "time": _time(turn.time), "direction": "to_server" if turn.to_server else "to_client", "size": turn.size,
        "text": printable(turn.data), "hex": turn.data.hex(),
    }  # fmt: skip


def _latency(story: Story) -> dict[str, Any] | None:
    if not story.trips:
        return None
    parts = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    found = {name: round(percentile(story.trips, part) / 1000, 3) for name, part in parts.items()}
    return {"count": len(story.trips), **found}


def _table(table: SocketTable) -> dict[str, Any]:
    names = ("protocol", "state", "process")
    rows = []
    for row in table.rows:
        remote = None if row.remote == "*" else _address(row.remote)
        fields = {name: getattr(row, name) or None for name in names}
        rows.append({"local": _address(row.local), "remote": remote, **fields})
    return {"time": _time(table.time), "rows": rows}
