"""What only wirecat knows of a connection, in options of its own beside the packets: JSON with a version.

    recording   who records, where, when, and which part of a rotated recording this is; the first of a file
    opened      a connection: its number, its addresses, how its packets are addressed, handler, TLS
    closed      who ended it first, and how
    detached    it goes on, and is recorded no more
    lost        how much of which connection was not kept
    sockets     the socket table
    note        a text
    ended       the recording was ended in an orderly way

Later versions may add fields and frames; readers pass over what they do not know.
"""

from __future__ import annotations

import json

from wirecat.address import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
_MAGIC = b"wirecat"


def encode_frame(frame: str, time_ns: int, **fields: Any) -> bytes:
    """The data of a custom option (``wirecat.wire.pcapng.statistics``)."""
    text = json.dumps({"frame": frame, "time_ns": time_ns, **fields}, separators=(",", ":"), ensure_ascii=True)
    return _MAGIC + bytes([VERSION]) + text.encode()


def decode_frame(data: bytes) -> dict[str, Any] | None:
    """The fields of a frame, ``frame`` and ``time_ns`` among them; None for what is not ours, or of a version
    that is not known. Raises ValueError for one that is damaged."""
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : len(_MAGIC) + 1] != bytes([VERSION]):
        return None
    try:
        fields = json.loads(data[len(_MAGIC) + 1 :])
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("frame"), str):
        raise ValueError("it is no frame")
    if not isinstance(fields.get("time_ns"), int) or not 0 <= fields["time_ns"] < 1 << 63:
        raise ValueError("it has no time")
    return fields


def address_fields(address: Address) -> dict[str, Any]:
    """An address as JSON."""
    fields: dict[str, Any] = {"scheme": address.scheme}
    if address.port is None:
        fields["path"] = address.path
    else:
        fields["host"], fields["port"] = address.host, address.port
    return fields


def read_address(fields: object) -> Address | None:
    """The address that ``address_fields`` wrote; None where it is none."""
    if not isinstance(fields, dict):
        return None
    scheme, host, port, path = (fields.get(name) for name in ("scheme", "host", "port", "path"))
    if not isinstance(scheme, str) or not isinstance(host, str | None) or not isinstance(path, str | None):
        return None
    if port is not None and (not isinstance(port, int) or isinstance(port, bool)):
        return None
    try:
        return Address(scheme, host, port, path or "")
    except ValueError:  # the port
        return None
