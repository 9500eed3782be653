"""The socket table as one JSON document: a list with an object for each socket, ``null`` where unknown."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.system.socket_row import SocketRow


def sockets_json(rows: Sequence[SocketRow], *, one_line: bool = False) -> str:
    """The document, which ends with a line feed; each socket stands on a line of its own unless ``one_line``.

    An object has ``protocol`` (tcp, udp), ``family`` (ipv4, ipv6), ``local`` and ``remote`` ({host, port};
    remote is null where nobody is at the other end), ``state`` (as in RFC 9293), ``recv_queue`` and
    ``send_queue`` (bytes; of a listener: how many connections wait, and how many may), ``pid`` and
    ``process``.
    """
    encode = json.JSONEncoder().encode
    objects = [encode(socket_object(row)) for row in rows]
    if one_line or not objects:
        return f"[{', '.join(objects)}]\n"
    return "[\n " + ",\n ".join(objects) + "\n]\n"


def socket_object(row: SocketRow) -> dict[str, object]:
    """What JSON says of one socket."""
    remote = None if row.remote_port is None else {"host": row.remote_host, "port": row.remote_port}
    return {
        "protocol": row.protocol,
        "family": row.family,
        "local": {"host": row.local_host, "port": row.local_port},
        "remote": remote,
        "state": row.state,
        "recv_queue": row.recv_queue,
        "send_queue": row.send_queue,
        "pid": row.pid,
        "process": row.process,
    }
