"""A recording as JSON, one object a line (``show --json``). The form is versioned: ``v`` is 1."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from wirecat.recording.model import Chunk, Mark
from wirecat.system.socket_row import SocketRow
from wirecat.views.json_server import address_object
from wirecat.views.json_text import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wirecat.recording.model import RecordedConnection

VERSION = 1
_FACTS = ("bytes", "offset", "attempts")
_COUNTED = ("missing", "retransmission", "conflict", "stray", "unanswered")


def entry_line(entry: Chunk | Mark, connections: Mapping[int, RecordedConnection]) -> str:
    """One entry as a line. Bytes that are UTF-8 stand in ``text``, others in ``base64``."""
    out: dict[str, Any] = {
        "v": VERSION, "event": "chunk" if isinstance(entry, Chunk) else entry.name, "time": iso_ns(entry.time_ns),
        "connection": entry.connection, "from": entry.sender or None,
    }  # fmt: skip
    if isinstance(entry, Chunk):
        out |= {"size": len(entry.data), "missing": entry.missing, **_payload(entry.data)}
        return json_text(out)
    connection = connections.get(entry.connection or 0)
    out |= {name: entry.facts[name] for name in _FACTS if name in entry.facts and entry.name in _COUNTED}
    if entry.name in ("opened", "refused", "unanswered") and connection is not None:
        out |= {
            "client": address_object(connection.client.address), "server": address_object(connection.server.address),
            "protocol": connection.protocol, "kind": connection.kind, "handler": connection.handler or None,
            "tls": connection.tls, "joined": connection.joined, "guessed": connection.guessed,
        }  # fmt: skip
    elif entry.name == "closed" and connection is not None:
        out |= {
            "by": connection.closed_by or None, "reason": connection.reason or None,
            "seconds": round(((connection.closed_ns or connection.last_ns) - connection.opened_ns) / 1e9, 6),
            "from_client": connection.client.data, "from_server": connection.server.data,
            "missing": connection.missing,
        }  # fmt: skip
    elif entry.name == "sockets":
        out["sockets"] = [_socket(row) for row in entry.facts.get("rows", ())]
    elif entry.text:
        out["text"] = entry.text
    return json_text(out)


def iso_ns(time_ns: int) -> str | None:
    """A time in ISO 8601, UTC, with microseconds; None where there is none."""
    if time_ns < 0:
        return None
    whole = datetime.fromtimestamp(time_ns // 10**9, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9 // 1000:06d}Z"


def _payload(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _socket(row: SocketRow) -> dict[str, Any]:
    remote = None if row.remote_port is None else {"host": row.remote_host, "port": row.remote_port}
    return {
        "protocol": row.protocol, "family": row.family, "local": {"host": row.local_host, "port": row.local_port},
        "remote": remote, "state": row.state, "pid": row.pid, "process": row.process,
    }  # fmt: skip
