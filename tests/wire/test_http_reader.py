"""Heads are read strictly, within limits, the same wherever they are cut; what follows them is not touched."""

from __future__ import annotations

import http.client
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import bytes_of, damaged, error_of, garbage, places, same_at_every_cut, same_however_cut
from wirecat.errors import HttpError
from wirecat.wire.http_headers import is_field_value, is_token
from wirecat.wire.http_reader import (
    LONGEST_FIRST_LINE,
    MOST_FIELD_BYTES,
    MOST_FIELDS,
    RequestReader,
    ResponseReader,
)


def request(pieces: list[bytes]) -> tuple[object, ...]:
    """All that can be seen of a reader of requests to whom these pieces are given, and then the end."""
    reader = RequestReader()
    head = None
    try:
        for piece in pieces:
            head = reader.receive(piece)
        reader.receive_end()
    except HttpError as error:
        return error_of(error)
    if head is None:
        return None, reader.begun, b""
    return head.method, head.target, head.version, list(head.headers), reader.rest


def response(pieces: list[bytes]) -> tuple[object, ...]:
    reader = ResponseReader()
    head = None
    try:
        for piece in pieces:
            head = reader.receive(piece)
        reader.receive_end()
    except HttpError as error:
        return error_of(error)
    if head is None:
        return None, reader.begun, b""
    return head.status, head.reason, head.version, list(head.headers), reader.rest


# What is read.


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        # RFC 9112 section 2.1's example, with a body behind it.
        (
            b"GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\nAccept: en\r\n\r\nrest",
            (
                "GET",
                "/hello.txt",
                (1, 1),
                [("User-Agent", "curl/7.64.1"), ("Host", "www.example.com"), ("Accept", "en")],
                b"rest",
            ),
        ),
        # RFC 9112 section 3.2: the four forms of a target.
        (
            b"GET http://www.example.org/pub/WWW/ HTTP/1.1\r\n\r\n",
            ("GET", "http://www.example.org/pub/WWW/", (1, 1), [], b""),
        ),
        (b"CONNECT www.example.com:80 HTTP/1.1\r\n\r\n", ("CONNECT", "www.example.com:80", (1, 1), [], b"")),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", ("OPTIONS", "*", (1, 1), [], b"")),
        # What a person types, or an old script sends: bare LF.
        (b"GET / HTTP/1.0\n\n", ("GET", "/", (1, 0), [], b"")),
        (b"GET / HTTP/1.0\nA: b\r\nC: d\n\r\n\n", ("GET", "/", (1, 0), [("A", "b"), ("C", "d")], b"\n")),
        # RFC 9112 section 2.2: an empty line or two before it.
        (b"\r\n\nGET / HTTP/1.1\r\n\r\n", ("GET", "/", (1, 1), [], b"")),
        # RFC 9112 section 5.2: folded lines become one.
        (b"GET / HTTP/1.1\r\nA: b\r\n  c\r\n\td \r\n\r\n", ("GET", "/", (1, 1), [("A", "b c d")], b"")),
        (b"GET / HTTP/1.1\r\nA:\r\n b\r\n \r\n\r\n", ("GET", "/", (1, 1), [("A", "b")], b"")),
        # Fields: no value, spaces around, a colon in it, bytes beyond ASCII, a method and a version of the future.
        (b"GET / HTTP/1.1\r\nA:\r\nB: \t x:y \t\r\n\r\n", ("GET", "/", (1, 1), [("A", ""), ("B", "x:y")], b"")),
        (b"QUERY /\xfc HTTP/1.9\r\nA: \xfc\r\n\r\n", ("QUERY", "/\xfc", (1, 9), [("A", "\xfc")], b"")),
        # Nothing at all is no error.
        (b"", (None, False, b"")),
    ],
)
def test_requests(stream: bytes, expected: tuple[object, ...]) -> None:
    assert same_at_every_cut(request, stream) == expected


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (
            b"HTTP/1.1 200 OK\r\nServer: Apache\r\nContent-Length: 51\r\n\r\nHello",
            (200, "OK", (1, 1), [("Server", "Apache"), ("Content-Length", "51")], b"Hello"),
        ),
        (b"HTTP/1.0 404 Not Found at all\n\n", (404, "Not Found at all", (1, 0), [], b"")),
        (b"HTTP/1.1 200 \r\n\r\n", (200, "", (1, 1), [], b"")),
        (b"HTTP/1.1 200\r\n\r\n", (200, "", (1, 1), [], b"")),
        (b"HTTP/1.1 999 \xe9\r\n\r\n", (999, "\xe9", (1, 1), [], b"")),
        # RFC 9112 section 5.1: a proxy takes out spaces before the colon of a response.
        (b"HTTP/1.1 200 OK\r\nA \t: b\r\n\r\n", (200, "OK", (1, 1), [("A", "b")], b"")),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", (200, "OK", (1, 1), [("A", "b c")], b"")),
        (b"", (None, False, b"")),
    ],
)
def test_responses(stream: bytes, expected: tuple[object, ...]) -> None:
    assert same_at_every_cut(response, stream) == expected


# What is refused.

REQUEST = b"GET / HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("stream", "status", "says"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "no HTTP request"),  # TLS
        (b" GET / HTTP/1.1\r\n\r\n", 400, "no HTTP request"),
        (b"\0", 400, "no HTTP request"),
        (b"\xffGET", 400, "no HTTP request"),
        (b"\r\n" * 9, 400, "no request line"),
        (b"GET /\r\n\r\n", 400, "no request line"),  # HTTP/0.9
        (b"GET\r\n\r\n", 400, "no request line"),
        (b"GET  / HTTP/1.1\r\n\r\n", 400, "no request line"),
        (b"GET / HTTP/1.1 \r\n\r\n", 400, "no request line"),
        (b"GET /a b HTTP/1.1\r\n\r\n", 400, "no request line"),
        (b"GET /a\tb HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"GET /a\rb HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"GET /\x1b[2J HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"G:T / HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"\rGET / HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"GET  HTTP/1.1\r\n\r\n", 400, "malformed request line"),
        (b"GET / HTTP/11\r\n\r\n", 400, "no HTTP version"),
        (b"GET / HTTP/1.10\r\n\r\n", 400, "no HTTP version"),
        (b"GET / HTTP/1.\xb2\r\n\r\n", 400, "no HTTP version"),
        (b"GET / http/1.1\r\n\r\n", 400, "no HTTP version"),
        (b"GET / HTTP/1.1\r\r\n\r\n", 400, "no HTTP version"),
        (b"GET / ICY\r\n\r\n", 400, "no HTTP version"),
        (b"GET / HTTP/2.0\r\n\r\n", 505, "HTTP/2 is not spoken here"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2 is not spoken here"),
        (b"GET / HTTP/0.9\r\n\r\n", 505, "HTTP/0 is not spoken here"),
        (REQUEST + b"A\r\n\r\n", 400, "no field"),
        (REQUEST + b": a\r\n\r\n", 400, "no field"),
        (REQUEST + b"A : b\r\n\r\n", 400, "no field"),
        (REQUEST + b"A\t: b\r\n\r\n", 400, "no field"),
        (REQUEST + b"A B: c\r\n\r\n", 400, "no field"),
        (REQUEST + b"\xe9: c\r\n\r\n", 400, "no field"),
        (REQUEST + b" A: b\r\n\r\n", 400, "space before the first"),
        (REQUEST + b"A: b\0c\r\n\r\n", 400, "control character"),
        (REQUEST + b"A: b\rC: d\r\n\r\n", 400, "control character"),
        (REQUEST + b"A: b\r\r\n\r\n", 400, "control character"),
        (REQUEST + b"A: b\r\n \x7f\r\n\r\n", 400, "control character"),
        (REQUEST + b"Host: a\r\nhost: a\r\n\r\n", 400, "more than one Host"),
        (b"GET /" + b"a" * LONGEST_FIRST_LINE + b" HTTP/1.1\r\n\r\n", 414, "first line is too long"),
        (REQUEST + b"A: b\r\n" * (MOST_FIELDS + 1) + b"\r\n", 431, "more than 100"),
        (REQUEST + b"A: b\r\n" + b" c\r\n" * MOST_FIELDS + b"\r\n", 431, "more than 100"),
        (REQUEST + b"A: " + b"b" * MOST_FIELD_BYTES + b"\r\n\r\n", 431, "too large"),
        (REQUEST + (b"A: " + b"b" * 30000 + b"\r\n") * 3 + b"\r\n", 431, "too large"),
        # The end comes too early.
        (b"GET / HT", 400, "ended in the middle of a head"),
        (REQUEST, 400, "ended in the middle of a head"),
        (REQUEST + b"A: b\r\n\r", 400, "ended in the middle of a head"),
        (b"\r\n", 400, "no error"),
    ],
)
def test_requests_that_are_refused(stream: bytes, status: int, says: str) -> None:
    run = same_at_every_cut if len(stream) < 200 else same_however_cut
    result = run(request, stream)
    if says == "no error":
        assert result == (None, False, b"")
    else:
        assert result[2] == status
        assert says in str(result[1])


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP response"),
        (b"H", "ended in the middle"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "no HTTP response"),
        (b"HTTP/1.1\r\n\r\n", "no status"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "no status"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "no status"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "no status"),
        (b"HTTP/1.1 2\xb20 OK\r\n\r\n", "no status"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "no status"),
        (b"HTTP/1.1 200 O\x1bK\r\n\r\n", "control character"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "HTTP/2"),
        (b"HTTP/x.1 200 OK\r\n\r\n", "no HTTP version"),
        (b"HTTP/1.1 200 " + b"a" * LONGEST_FIRST_LINE + b"\r\n\r\n", "first line is too long"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", "more than 100"),
        (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "control character"),
        (b"HTTP/1.1 200 OK\r\n", "ended in the middle"),
    ],
)
def test_responses_that_are_refused(stream: bytes, says: str) -> None:
    run = same_at_every_cut if len(stream) < 200 else same_however_cut
    result = run(response, stream)
    assert result[2] == 502
    assert says in str(result[1])
    assert "from the server" in str(result[1])


# Limits, exactly.


def test_what_just_fits() -> None:
    assert same_however_cut(request, b"\r\n" * 8 + REQUEST + b"\r\n")[0] == "GET"
    target = b"/" + b"a" * (LONGEST_FIRST_LINE - len(b"GET / HTTP/1.1"))
    for end in (b"\r\n", b"\n"):
        assert same_however_cut(request, b"GET " + target + b" HTTP/1.1" + end + end)[1] == target.decode()
    assert len(same_however_cut(request, REQUEST + b"A: b\r\n" * MOST_FIELDS + b"\r\n")[3]) == MOST_FIELDS  # type: ignore[arg-type]
    value = b"b" * (MOST_FIELD_BYTES - len(b"A: \r\n"))
    assert same_however_cut(request, REQUEST + b"A: " + value + b"\r\n\r\n")[3] == [("A", value.decode())]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    reader = RequestReader()
    with pytest.raises(HttpError) as raised:
        for _ in range(LONGEST_FIRST_LINE + 2):
            reader.receive(b"a")
    assert raised.value.status == 414
    with pytest.raises(HttpError) as again:
        reader.receive(b" / HTTP/1.1\r\n\r\n")
    assert again.value is raised.value


def test_what_was_refused_stays_refused() -> None:
    """The lines behind a bad one are not read as if nothing had been."""
    reader = RequestReader()
    for piece in (REQUEST + b"A : b\r\n", b"B: c\r\n\r\n", b""):
        with pytest.raises(HttpError, match="no field"):
            reader.receive(piece)


def test_a_long_head_byte_by_byte_takes_linear_time() -> None:
    stream = REQUEST + b"A: " + b"b" * 60000 + b"\r\n\r\n"
    begin = time.process_time()
    assert request(bytes_of(stream))[0] == "GET"
    assert time.process_time() - begin < 5


def test_what_follows_the_head_is_kept_whole() -> None:
    reader = RequestReader()
    assert reader.receive(REQUEST + b"\r") is None
    assert reader.rest == b""
    head = reader.receive(b"\nbo")
    assert head is not None
    assert reader.receive(b"dy") is head
    assert reader.rest == b"body"
    reader.receive_end()


# Whatever comes.

WORDS = (
    b"GET", b"HTTP/1.1", b"HTTP/", b"1.0", b" ", b"/", b"\r\n", b"\n", b"\r", b":", b"Host", b"A: b", b"\t", b"200",
    b"\0", b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n",
)  # fmt: skip
good_requests = some.sampled_from([REQUEST + b"Host: a\r\nB: c\r\n d\r\n\r\nbody", b"CONNECT a:1 HTTP/1.0\n\n"])
good_responses = some.sampled_from([b"HTTP/1.1 200 OK\r\nA: b\r\nC : d\r\n\r\nbody", b"HTTP/1.0 204\n\n"])


@given(some.one_of(garbage(*WORDS), damaged(good_requests)), places, some.binary(max_size=20))
def test_whatever_comes_is_a_good_request_or_refused(stream: bytes, cuts: list[int], tail: bytes) -> None:
    result = same_however_cut(request, stream, cuts)
    if result[0] == "HttpError":
        assert result[2] in (400, 414, 431, 505)
    elif result[0] is not None:
        method, target, version, fields, rest = result
        assert is_token(str(method))
        assert is_field_value(str(target))
        assert version[0] == 1  # type: ignore[index]
        assert all(is_token(name) and is_field_value(value) for name, value in fields)  # type: ignore[attr-defined]
        assert request([stream + tail]) == (*result[:4], rest + tail)  # type: ignore[operator]


@given(some.one_of(garbage(*WORDS), damaged(good_responses)), places, some.binary(max_size=20))
def test_whatever_comes_is_a_good_response_or_refused(stream: bytes, cuts: list[int], tail: bytes) -> None:
    result = same_however_cut(response, stream, cuts)
    if result[0] == "HttpError":
        assert result[2] == 502
    elif result[0] is not None:
        assert response([stream + tail]) == (*result[:4], result[4] + tail)  # type: ignore[operator]


letters = "abcXYZ019-"
printed = some.text(some.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


@given(some.integers(200, 599), printed, some.lists(some.tuples(some.text(letters, min_size=1), printed), max_size=5))
def test_python_reads_the_same(status: int, reason: str, fields: list[tuple[str, str]]) -> None:
    head = "".join(f"{name}:  {value} \r\n" for name, value in fields)
    stream = f"HTTP/1.1 {status} {reason}\r\n{head}\r\nbody".encode("ascii")

    class Socket:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(stream)

    other = http.client.HTTPResponse(Socket())  # type: ignore[arg-type]
    other.begin()
    with other:
        headers = [(name, value.strip()) for name, value in other.getheaders()]
        assert response([stream]) == (other.status, other.reason, (1, 1), headers, b"body")
