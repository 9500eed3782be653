"""HTTP answers of small devices, read as far as they go (routers' UPnP pages are often not what RFC 9112 says).

Elsewhere wirecat refuses a message that two programs could read differently. Here the answer ends at its reader, so a
wrong length, chunks in HTTP/1.0, a missing last chunk or a malformed field are read over, and reported.

>>> answer = read_device_response(b"HTTP/1.0 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n4\\r\\n<a/>\\r\\n", ended=True)
>>> answer.status, answer.body, answer.oddities
(200, b'<a/>', ['it sends chunks in HTTP/1.0'])
"""

from __future__ import annotations

from wirecat.errors import HttpError
from wirecat.immutable import Immutable

_BLANKS = b"\0\t\r\n "
_LONGEST_HEAD = 65536
_SOAP_STATUSES = (200, 500)  # the answers that bring a document (UPnP Device Architecture 1.1 section 3.2.2)


class DeviceResponse(Immutable):
    """An answer: its ``status``, its ``body`` without framing, and ``oddities``, a phrase for each departure.

    ``is_framed``: its framing says too that it is complete; else more may come, which the document does not need.
    """

    __slots__ = ("status", "body", "oddities", "is_framed")

    status: int
    body: bytes
    oddities: list[str]
    is_framed: bool

    def __init__(self, status: int, body: bytes, oddities: list[str], is_framed: bool = True) -> None:
        self._set(status=status, body=body, oddities=oddities, is_framed=is_framed)


def read_device_response(data: bytes, *, ended: bool) -> DeviceResponse | None:
    """The answer in all the bytes received so far; None while more is needed, and may come (not ``ended``).

    It is complete when its XML document is, or where it has none, when its framing says so. Raises HttpError (502) for
    what is no HTTP.
    """
    data = data.lstrip(_BLANKS)
    if data[:1] == b"<":
        if not ended and not _is_document_whole(data):
            return None
        return DeviceResponse(200, data, ["it sends a document without an HTTP head"])
    if not b"HTTP/".startswith(data[:5].upper()) or len(data) > _LONGEST_HEAD * 8:
        raise HttpError("no HTTP response", status=502)
    head, body = _split_head(data)
    if head is None:
        if len(data) > _LONGEST_HEAD:
            raise HttpError("a head of more than 64 KiB", status=502)
        if ended:
            raise HttpError("the connection ended in the middle of a head" if data else "no answer", status=502)
        return None
    status, is_old = _read_status(head)
    if 100 <= status < 200:  # an interim response; the final one follows (RFC 9110 section 15.2)
        return read_device_response(body, ended=ended)
    oddities: list[str] = []
    fields = _read_fields(head, oddities)
    is_chunked = "chunked" in fields.get("transfer-encoding", "").lower()
    if is_chunked:
        if is_old:
            oddities.append("it sends chunks in HTTP/1.0")
        content, framed = _join_chunks(body, oddities)
    else:
        content, framed = _cut_to_length(body, fields.get("content-length", ""), oddities)
    if status in _SOAP_STATUSES and _begins_document(content):
        complete = _is_document_whole(content) or ended
    else:
        complete = framed or ended
    if not complete:
        return None
    if ended and not framed and not oddities:
        if is_chunked:
            oddities.append("its last chunk is missing")
        elif fields.get("content-length"):
            oddities.append("its body is shorter than it says")
    return DeviceResponse(status, content, oddities, framed or ended)


def read_fields(lines: list[str]) -> dict[str, str]:
    """Header lines as a dictionary with lower-case names; the first of a name counts, other lines are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name.strip():
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _split_head(data: bytes) -> tuple[list[str] | None, bytes]:
    ends = [(place, len(mark)) for mark in (b"\r\n\r\n", b"\n\n", b"\r\r") if (place := data.find(mark)) >= 0]
    if not ends:
        return None, b""
    place, length = min(ends)
    return data[:place].decode("latin-1").splitlines(), data[place + length :]


def _read_status(head: list[str]) -> tuple[int, bool]:
    """The status, and whether the version is 1.0 or older."""
    version, *rest = head[0].split()
    if not (rest and len(rest[0]) == 3 and rest[0].isascii() and rest[0].isdigit()):
        raise HttpError("no status in the first line", status=502)
    return int(rest[0]), version.upper() < "HTTP/1.1"


def _read_fields(head: list[str], oddities: list[str]) -> dict[str, str]:
    if any(":" not in line for line in head[1:] if not line.startswith((" ", "\t"))):
        oddities.append("its head has a malformed line")
    return read_fields(head[1:])


def _join_chunks(body: bytes, oddities: list[str]) -> tuple[bytes, bool]:
    """The content of chunks as far as they came, and whether the last one did."""
    content, place = bytearray(), 0
    if body[:1] == b"<":
        oddities.append("its chunks are malformed")
        return body, False
    while (end := body.find(b"\n", place)) >= 0:
        digits = body[place:end].split(b";")[0].strip()
        if not digits:
            place = end + 1
            continue
        try:
            size = int(digits, 16)
        except ValueError:
            size = -1
        if size < 0:
            oddities.append("its chunks are malformed")
            return (bytes(content) if content else body), False
        if size == 0:
            return bytes(content), True
        content += body[end + 1 : end + 1 + size]
        place = end + 1 + size
    return bytes(content), False


def _cut_to_length(body: bytes, length: str, oddities: list[str]) -> tuple[bytes, bool]:
    """The body and whether it is as long as the field says; a document that is longer than that is not cut."""
    if not length:
        return body, False
    if not (length.isascii() and length.isdigit() and len(length) < 10):
        oddities.append("its Content-Length is no number")
        return body, False
    size = int(length)
    if len(body) > size and _begins_document(body) and not _is_document_whole(body[:size]):
        oddities.append("its body is longer than it says")
        return body, True
    return body[:size], len(body) >= size


def _begins_document(content: bytes) -> bool:
    return content.lstrip(_BLANKS + b"\xef\xbb\xbf")[:1] == b"<"


def _is_document_whole(content: bytes) -> bool:
    """Whether the end tag of a document's first element has come, or that element is empty."""
    place = 0
    while (start := content.find(b"<", place)) >= 0:
        if content[start + 1 : start + 2] in (b"?", b"!"):
            mark = b"-->" if content.startswith(b"<!--", start) else b">"
            place = content.find(mark, start) + 1
            if not place:
                return False
            continue
        end = content.find(b">", start)
        words = content[start + 1 : end].split()
        if end < 0 or not words:
            return False
        return content[end - 1 : end] == b"/" or b"</" + words[0].lower() in content[end:].lower()
    return False
