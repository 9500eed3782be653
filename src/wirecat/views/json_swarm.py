"""The result of a swarm as one JSON document (``swarm --json``). The form is versioned: ``v`` is 1."""

from __future__ import annotations

from wirecat.views.json_server import address_object, iso_time
from wirecat.views.json_text import json_text
from wirecat.views.text_swarm import how_latency_was_taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.swarm.result import SwarmResult, WrongReply

VERSION = 1


def swarm_json(result: SwarmResult) -> str:
    """The document, which ends with a line feed.

    ``replies_ok`` and ``replies_wrong`` are null where replies were not checked (``checked`` is false), the
    latencies where there was nothing to time. ``seconds`` is from the first message to the last client's end.
    ``errors`` counts failed clients by kind; each client fails at most once. In mode ``connects`` it counts connects.
    ``due``, ``late`` and ``unsent`` are null without a rate, ``connects`` and its rate in the other modes.
    """
    options, per_second = result.options, result.connects_per_second
    document = {
        "v": VERSION,
        "address": address_object(result.address),
        "started": iso_time(result.started),
        "loop": result.loop,
        "messages": options.messages,
        "duration": options.duration,
        "mode": options.mode,
        "rate": options.rate,
        "think": options.think,
        "workers": options.workers,
        "message": options.message,
        "size": options.size,
        "payload_bytes": None if options.payload is None else len(options.payload),
        "newline": options.newline,
        "expect": options.expect,
        "clients": result.clients,
        "connected": result.connected,
        "connect_seconds": round(result.connect_seconds, 6),
        "messages_sent": result.messages_sent,
        "replies": result.replies,
        "checked": result.checked,
        "replies_ok": result.replies_ok,
        "replies_wrong": result.replies_wrong,
        "first_wrong": None if result.first_wrong is None else _wrong(result.first_wrong),
        "errors": result.errors,
        "seconds": round(result.seconds, 6),
        "requests_per_second": round(result.requests_per_second, 1),
        "due": result.due,
        "late": result.late,
        "unsent": result.unsent,
        "connects": result.connects,
        "connects_per_second": None if per_second is None else round(per_second, 1),
        "latency_us": {
            name: None if value is None else round(value, 1) for name, value in result.latency_us.fields().items()
        },
        "latency_taken": how_latency_was_taken(options),
        "left_open": result.left_open,
        "processor_share": round(result.processor_share, 3),
        "lost": list(result.lost),
        "interrupted": result.interrupted,
        "ok": result.ok,
    }
    return json_text(document, indent=2) + "\n"


def _wrong(wrong: WrongReply) -> dict[str, object]:
    """A wrong reply; bytes that are no UTF-8 are written as ``\\xNN``."""
    fields = wrong.fields()
    for name in ("expected", "got"):
        fields[name] = fields[name].decode("utf-8", "backslashreplace")
    return fields
