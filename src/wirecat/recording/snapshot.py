"""The socket table in a recording: rows to JSON and back, with nothing believed that the file says."""

from __future__ import annotations

from wirecat.system.socket_row import TCP_STATES, UDP_STATES, SocketRow
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

MOST_ROWS = 20_000
_TEXTS = ("protocol", "family", "local_host", "remote_host", "process")
_NUMBERS = ("local_port", "remote_port", "recv_queue", "send_queue", "uid", "inode", "pid")
_LONGEST = 200


def row_fields(rows: Iterable[SocketRow]) -> list[dict[str, Any]]:
    """The rows as JSON, without what is unknown."""
    names = SocketRow.__slots__
    found = [{name: value for name in names if (value := getattr(row, name)) is not None} for row in rows]
    return found[:MOST_ROWS]


def read_rows(fields: object) -> tuple[SocketRow, ...]:
    """The rows that ``row_fields`` wrote; what is no row is left out."""
    if not isinstance(fields, list):
        return ()
    return tuple(row for each in fields[:MOST_ROWS] if (row := _row(each)) is not None)


def _row(fields: object) -> SocketRow | None:
    if not isinstance(fields, dict):
        return None
    values: dict[str, Any] = {}
    for name in _TEXTS:
        value = fields.get(name)
        values[name] = printable(value[:_LONGEST]) if isinstance(value, str) else None
    for name in _NUMBERS:
        value = fields.get(name)
        values[name] = value if isinstance(value, int) and 0 <= value < 1 << 64 else None
    state = fields.get("state")
    values["state"] = state if state in (*TCP_STATES, *UDP_STATES) else None
    if None in (values["protocol"], values["family"], values["local_host"], values["local_port"]):
        return None
    return SocketRow(**values)
