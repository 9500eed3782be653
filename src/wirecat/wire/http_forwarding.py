"""What an HTTP proxy passes on of a request and of a response (RFC 9110 section 7.6, RFC 9112 sections 3 and 6).

Fields for one hop are taken out, those that Connection names too; the target becomes a path and Host is made from it,
so that no server behind is told two different ones; the framing is written anew from how the body was read, so that
nobody behind can read it in another way. Bodies are passed on by their content: ``Body.receive`` on one side, and on
the other the content as it is, or, where the second result says so, ``encode_chunk`` and at the end ``LAST_CHUNK``.
"""

from __future__ import annotations

from wirecat.errors import HttpError
from wirecat.wire.http_body import ChunkedBody, content_length
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead, ResponseHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.wire.http_body import Body
    from wirecat.wire.http_message import Version
    from wirecat.wire.http_target import Target


def forward_request(head: RequestHead, target: Target, body: Body, via: str = "") -> tuple[RequestHead, bool]:
    """The request as the server behind gets it, in HTTP/1.1, and whether its body goes out in chunks.

    ``body`` is what ``request_body`` gave. ``via`` is the name that this proxy adds to the Via field (RFC 9110 section
    7.6.3); without one it adds none. The connection behind is for this request alone.
    """
    passed = head.headers.end_to_end()
    passed.remove(("host", "content-length"))
    headers = Headers([("Host", target.authority), *passed])
    chunked = isinstance(body, ChunkedBody)
    if chunked:
        headers.add("Transfer-Encoding", "chunked")
    elif body.length or "content-length" in head.headers:
        headers.add("Content-Length", str(body.length))
    _add_via(headers, head.version, via)
    headers.add("Connection", "close")
    return RequestHead(head.method, target.path, headers), chunked


def forward_response(
    head: ResponseHead, body: Body, request: RequestHead, via: str = "", version: Version = (1, 1), keep: bool = False
) -> tuple[ResponseHead, bool]:
    """The response as the client gets it, and whether its body goes out in chunks.

    ``body`` is what ``response_body`` gave. A body without a known length goes out in chunks to a client that speaks
    HTTP/1.1, so that it can tell the end from a broken connection; another is told the end by the connection's.
    ``version`` is what the status line says; ``keep`` leaves the connection open where the body's end allows it.
    """
    headers = head.headers.end_to_end()
    headers.remove(("content-length",))
    chunked = False
    interim = head.status < 200
    if not interim and head.status != 204:
        if request.method == "HEAD" or head.status == 304:
            # It tells of the body that another request would have got (RFC 9110 section 8.6).
            length = _told_length(head)
        else:
            length = body.length
            chunked = length is None and request.version >= (1, 1) and version >= (1, 1)
            keep = keep and (length is not None or chunked)
        if length is not None:
            headers.add("Content-Length", str(length))
        if chunked:
            headers.add("Transfer-Encoding", "chunked")
    _add_via(headers, head.version, via)
    if not interim and not keep:
        headers.add("Connection", "close")
    return ResponseHead(head.status, head.reason, headers, version), chunked


def came_through(headers: Headers, via: str) -> bool:
    """Whether a message has already passed a proxy of that name: it goes round in a circle (RFC 9110 section 7.6.3)."""
    hops = (hop.split() for value in headers.get_all("via") for hop in value.split(","))
    return any(len(words) > 1 and words[1].lower() == via.lower() for words in hops)


def _add_via(headers: Headers, version: Version, via: str) -> None:
    if via:
        headers.add("Via", f"{version[0]}.{version[1]} {via}")


def _told_length(head: ResponseHead) -> int | None:
    """The length that a response without a body tells; None where it tells none, or tells it wrongly."""
    try:
        return content_length(head.headers)
    except HttpError:
        return None
