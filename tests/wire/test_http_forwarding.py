"""What a proxy passes on: one target, one framing, and nothing that was meant for the proxy alone."""

from __future__ import annotations

import pytest

from wirecat.wire.http_body import LAST_CHUNK, encode_chunk, request_body, response_body
from wirecat.wire.http_forwarding import came_through, forward_request, forward_response
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead, ResponseHead
from wirecat.wire.http_reader import RequestReader, ResponseReader
from wirecat.wire.http_target import request_target


def request_of(data: bytes) -> RequestHead:
    head = RequestReader().receive(data)
    assert head is not None
    return head


def passed_on(data: bytes, via: str = "") -> tuple[bytes, bool]:
    """What the server behind gets of a request, and whether its body goes out in chunks."""
    head = request_of(data)
    forwarded, chunked = forward_request(head, request_target(head), request_body(head), via)
    return forwarded.to_bytes(), chunked


def answered(data: bytes, request: bytes = b"GET http://a/ HTTP/1.1\r\n\r\n", **options: object) -> tuple[bytes, bool]:
    """What the client gets of a response, and whether its body goes out in chunks."""
    head = ResponseReader().receive(data)
    assert head is not None
    asked = request_of(request)
    forwarded, chunked = forward_response(head, response_body(head, asked.method), asked, **options)  # type: ignore[arg-type]
    return forwarded.to_bytes(), chunked


def test_the_target_becomes_a_path_and_host_is_made_from_it() -> None:
    assert passed_on(b"GET http://example.org:8080/a%2fb?c HTTP/1.0\r\nHost: other\r\nAccept: */*\r\n\r\n") == (
        b"GET /a%2fb?c HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        False,
    )
    assert passed_on(b"OPTIONS http://[::1] HTTP/1.1\r\n\r\n")[0].startswith(b"OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n")


def test_what_is_for_the_proxy_alone_stays_there() -> None:
    data = (
        b"GET http://a/ HTTP/1.1\r\nProxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\n"
        b"Keep-Alive: 5\r\nUpgrade: h2c\r\nConnection: Upgrade, X-Mine\r\nX-Mine: 1\r\nCookie: a=b; c=d\r\n\r\n"
    )
    assert passed_on(data)[0] == (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\nConnection: close\r\n\r\n")


def test_connection_cannot_take_the_framing_or_the_host_away() -> None:
    data = b"POST http://a/ HTTP/1.1\r\nConnection: Content-Length, Host\r\nContent-Length: 5\r\n\r\n"
    assert passed_on(data)[0] == b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"
    data = b"POST http://a/ HTTP/1.1\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert passed_on(data) == (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        True,
    )


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        (b"", b""),
        (b"Content-Length: 0\r\n", b"Content-Length: 0\r\n"),
        (b"Content-Length: 7, 7\r\nContent-Length: 7\r\n", b"Content-Length: 7\r\n"),
        (b"Transfer-Encoding: ,Chunked\r\n", b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_the_framing_is_written_anew(fields: bytes, framing: bytes) -> None:
    data, _ = passed_on(b"POST http://a/ HTTP/1.1\r\n" + fields + b"\r\n")
    assert data == b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"Connection: close\r\n\r\n"


def test_a_response_with_a_length() -> None:
    data = (
        b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-End: 2\r\n\r\n"
    )
    expected = b"HTTP/1.1 200 Fine\r\nX-End: 2\r\nContent-Length: 2\r\n"
    assert answered(data) == (expected + b"Connection: close\r\n\r\n", False)
    assert answered(data, keep=True) == (expected + b"\r\n", False)
    assert answered(data, version=(1, 0))[0].startswith(b"HTTP/1.0 200 Fine\r\n")


@pytest.mark.parametrize(
    "framing", [b"", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n"]
)
def test_a_response_without_a_length(framing: bytes) -> None:
    """A new client gets chunks, an old one the end of the connection; a length beside chunks is dropped."""
    data = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n"
    for keep in (False, True):
        tail = b"" if keep else b"Connection: close\r\n"
        assert answered(data, keep=keep) == (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + tail + b"\r\n",
            True,
        )
        old = answered(data, b"GET http://a/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", keep=keep)
        assert old == (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", False)
        assert answered(data, keep=keep, version=(1, 0)) == (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n", False)


def test_responses_without_a_body() -> None:
    head = b"HEAD http://a/ HTTP/1.1\r\n\r\n"
    told = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
    assert answered(told, head, keep=True) == (told, False)
    assert answered(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", head, keep=True) == (
        b"HTTP/1.1 200 OK\r\n\r\n",
        False,
    )
    assert answered(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", head, keep=True)[0] == b"HTTP/1.1 200 OK\r\n\r\n"
    assert answered(b"HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n", keep=True)[0].endswith(
        b"Content-Length: 7\r\n\r\n"
    )
    assert answered(b"HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", keep=True)[0] == b"HTTP/1.1 204 No\r\n\r\n"
    assert answered(b"HTTP/1.1 204 No\r\n\r\n")[0] == b"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n"
    # An interim response says nothing about the connection: the real one comes behind it.
    assert answered(b"HTTP/1.1 100 Continue\r\n\r\n")[0] == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_what_is_passed_on_can_be_read_again_with_the_same_body() -> None:
    data, chunked = passed_on(b"POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert chunked
    reader = RequestReader()
    head = reader.receive(data + encode_chunk(b"Hello") + encode_chunk(b"") + LAST_CHUNK)
    assert head is not None
    body = request_body(head)
    assert (body.receive(reader.rest), body.done) == (b"Hello", True)


def test_via_tells_who_passed_it_on_and_finds_circles() -> None:
    """RFC 9110 section 7.6.3."""
    data, _ = passed_on(b"GET http://a/ HTTP/1.0\r\nVia: 1.1 other\r\n\r\n", via="wirecat")
    assert b"\r\nVia: 1.1 other\r\nVia: 1.0 wirecat\r\n" in data
    assert b"\r\nVia: 1.1 wirecat\r\n" in answered(b"HTTP/1.1 200 OK\r\n\r\n", via="wirecat")[0]
    headers = Headers([("Via", "1.0 fred, 1.1 Wirecat (a comment)"), ("Via", "HTTP/1.1 p.example:80,odd")])
    assert came_through(headers, "wirecat")
    assert came_through(headers, "fred")
    assert came_through(headers, "p.example:80")
    assert not came_through(headers, "odd")
    assert not came_through(headers, "1.1")
    assert not came_through(Headers(), "wirecat")


def test_the_originals_are_left_as_they_came() -> None:
    head = request_of(b"GET http://a/ HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
    before = head.to_bytes()
    forward_request(head, request_target(head), request_body(head), "x")
    assert head.to_bytes() == before
    answer = ResponseHead(200, headers=Headers([("Connection", "close")]))
    before = answer.to_bytes()
    forward_response(answer, response_body(answer, "GET"), head, "x")
    assert answer.to_bytes() == before
