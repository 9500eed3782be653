"""The heads of messages as values: how they are written, what they cannot hold, and who keeps a connection open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import UsageError
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import REASONS, RequestHead, ResponseHead, response
from wirecat.wire.http_reader import RequestReader, ResponseReader

tokens = some.text("aZ09!#$%&'*+-.^_`|~", min_size=1, max_size=12)
targets = some.text(
    some.characters(codec="latin-1", exclude_categories=["Cc"], exclude_characters=" "), min_size=1, max_size=40
)
versions = some.sampled_from([(1, 0), (1, 1)])


@given(tokens, targets, versions)
def test_a_request_that_is_written_is_read_again(method: str, target: str, version: tuple[int, int]) -> None:
    head = RequestHead(method, target, Headers([("Host", "a"), ("X", "é")]), version)
    read = RequestReader().receive(head.to_bytes())
    assert read is not None
    assert (read.method, read.target, read.version, read.headers) == (method, target, version, head.headers)
    assert repr(read) == repr(head)


@given(
    some.integers(100, 999),
    some.none() | some.text(some.characters(codec="latin-1", exclude_categories=["Cc"])),
    versions,
)
def test_a_response_that_is_written_is_read_again(status: int, reason: str | None, version: tuple[int, int]) -> None:
    head = ResponseHead(status, reason, Headers([("X", "1")]), version)
    read = ResponseReader().receive(head.to_bytes())
    assert read is not None
    assert (read.status, read.reason, read.version, read.headers) == (status, head.reason, version, head.headers)
    assert repr(read) == repr(head)


@given(some.text(max_size=10), some.text(max_size=10))
def test_no_request_line_can_hold_more_than_itself(method: str, target: str) -> None:
    try:
        data = RequestHead(method, target).to_bytes()
    except UsageError:
        return
    assert data.count(b"\r\n") == 2
    assert data.count(b" ") == 2
    assert not set(data[:-4]) & {*range(32), 127}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RequestHead("", "/"),
        lambda: RequestHead("GET /", "/"),
        lambda: RequestHead("GET\r\n", "/"),
        lambda: RequestHead("GET", ""),
        lambda: RequestHead("GET", "/ HTTP/1.1\r\nX: y"),
        lambda: RequestHead("GET", "/a b"),
        lambda: RequestHead("GET", "/a\tb"),
        lambda: RequestHead("GET", "/€"),
        lambda: ResponseHead(99),
        lambda: ResponseHead(1000),
        lambda: ResponseHead(200, "OK\r\nX: y"),
        lambda: response(200, [("X", "a\nb")]),
    ],
)
def test_what_cannot_be_written(wrong: object) -> None:
    with pytest.raises(UsageError):
        wrong()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("version", "connection", "stays"),
    [
        ((1, 1), None, True),
        ((1, 1), "keep-alive", True),
        ((1, 1), "close", False),
        ((1, 1), "X, Close", False),
        ((1, 1), "keep-alive, close", False),
        ((1, 0), None, False),
        ((1, 0), "keep-alive", True),
        ((1, 0), "Keep-Alive, X", True),
        ((1, 0), "keep-alive, close", False),
        ((1, 0), "upgrade", False),
        ((1, 9), None, True),
    ],
)
def test_who_keeps_the_connection_open(version: tuple[int, int], connection: str | None, stays: bool) -> None:
    """RFC 9112 section 9.3."""
    headers = Headers([] if connection is None else [("Connection", connection)])
    assert RequestHead("GET", "/", headers, version).persistent is stays
    assert ResponseHead(200, headers=headers, version=version).persistent is stays


def test_small_responses_say_how_long_they_are() -> None:
    data = response(407, [("Proxy-Authenticate", 'Basic realm="x"')], b"who?", version=(1, 0))
    assert data == (
        b"HTTP/1.0 407 Proxy Authentication Required\r\n"
        b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwho?'
    )
    assert ResponseHead(299).to_bytes() == b"HTTP/1.1 299 \r\n\r\n"
    assert all(REASONS[status] for status in (400, 413, 414, 431, 501, 502, 505))
