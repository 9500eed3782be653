"""Bodies end where their framing says, wherever it is cut; framing that two could read differently is refused."""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wire.cutting import damaged, error_of, garbage, pieces_of, places, same_at_every_cut, same_however_cut
from wirecat.errors import HttpError
from wirecat.wire.http_body import (
    LAST_CHUNK,
    Body,
    ChunkedBody,
    LengthBody,
    UntilEndBody,
    content_length,
    encode_chunk,
    request_body,
    response_body,
)
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead, ResponseHead


def read(make: Callable[[], Body], pieces: list[bytes]) -> tuple[object, ...]:
    """All that can be seen of a body that is given these pieces, and then the end."""
    body = make()
    content = b""
    try:
        for piece in pieces:
            content += body.receive(piece)
        done = body.done
        body.receive_end()
    except HttpError as error:
        # What had come before a chunk that is malformed has been handed out by then, or not.
        return error_of(error)
    return content, done, body.rest


def read_chunks(pieces: list[bytes]) -> tuple[object, ...]:
    return read(ChunkedBody, pieces)


def test_a_length() -> None:
    assert same_at_every_cut(lambda pieces: read(lambda: LengthBody(5), pieces), b"HelloGET") == (
        b"Hello",
        True,
        b"GET",
    )
    assert same_at_every_cut(lambda pieces: read(lambda: LengthBody(0), pieces), b"GET") == (b"", True, b"GET")
    short = same_at_every_cut(lambda pieces: read(lambda: LengthBody(5), pieces), b"Hell")
    assert short == ("HttpError", "the connection ended in the middle of a body", 400, None)
    assert LengthBody(5).length == 5


def test_until_the_end() -> None:
    body = UntilEndBody()
    assert body.receive(b"Hel") + body.receive(b"lo") == b"Hello"
    assert (body.done, body.length, body.rest) == (False, None, b"")
    body.receive_end()
    assert body.done


@pytest.mark.parametrize(
    ("stream", "content"),
    [
        # RFC 9112 section 7.1.
        (b"4\r\nWiki\r\n7\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\n\r\n", b"Wikipedia in \r\nchunks."),
        (b"0\r\n\r\n", b""),
        (b"00a\r\n0123456789\r\n000\r\n\r\n", b"0123456789"),
        # Extensions and trailers.
        (b'5;a=b;c="d;e" ; f\r\nHello\r\n0;end\r\nA: b\r\nC: d\r\n\r\n', b"Hello"),
        (b"5 ;a\r\nHello\r\n0\t;b\r\n\r\n", b"Hello"),
        (b"5;\r\nHello\r\n0\r\n\r\n", b"Hello"),
    ],
)
def test_chunks(stream: bytes, content: bytes) -> None:
    assert same_at_every_cut(read_chunks, stream + b"GET /") == (content, True, b"GET /")


def test_trailers_are_kept_apart() -> None:
    body = ChunkedBody()
    assert body.receive(b"0\r\nA: b\r\nContent-Length: 7\r\n\r\n") == b""
    assert body.trailers == Headers([("A", "b"), ("Content-Length", "7")])
    assert body.length is None


@pytest.mark.parametrize(
    ("stream", "status", "says"),
    [
        (b"\r\n", 400, "no hexadecimal number"),
        (b"g\r\n", 400, "no hexadecimal number"),
        (b"-1\r\n", 400, "no hexadecimal number"),
        (b"+5\r\nHello\r\n", 400, "no hexadecimal number"),
        (b"0x5\r\nHello\r\n", 400, "no hexadecimal number"),
        (b"5_0\r\n", 400, "no hexadecimal number"),
        (b" 5\r\nHello\r\n", 400, "no hexadecimal number"),
        (b"5 \r\nHello\r\n", 400, "no hexadecimal number"),
        (b"\xb2\r\n", 400, "no hexadecimal number"),
        (b";a\r\n", 400, "no hexadecimal number"),
        (b"5\rHello\r\n", 400, "no hexadecimal number"),
        (b"0" * 16 + b"\r\n", 400, "too many digits"),
        (b"f" * 16 + b"\r\n", 400, "too many digits"),
        (b"f" * 5000, 400, "size is too long"),
        (b"5;" + b"a" * 5000 + b"\r\n", 400, "size is too long"),
        (b"5;a\rb\r\nHello\r\n", 400, "control character"),
        (b"5;a\0\r\nHello\r\n", 400, "control character"),
        # A bare LF ends a line for some readers, and not for others: no chunk ends in one.
        (b"5\nHello\n0\n\n", 400, "does not end in CRLF"),
        (b"5;a\nHello\r\n0\r\n\r\n", 400, "does not end in CRLF"),
        (b"5\r\nHello\n0\r\n\r\n", 400, "longer than its size"),
        (b"5\r\nHello0\r\n\r\n", 400, "longer than its size"),
        (b"5\r\nHello\rx", 400, "longer than its size"),
        (b"4\r\nHello\r\n0\r\n\r\n", 400, "longer than its size"),
        (b"0\r\nA : b\r\n\r\n", 400, "no field"),
        (b"0\r\nA: \0\r\n\r\n", 400, "control character"),
        (b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431, "more than 100"),
        (b"0\r\nA: " + b"b" * 70000, 431, "too large"),
        ((b"1;" + b"a" * 4000 + b"\r\nx\r\n") * 20, 400, "too many chunk extensions"),
        # The end comes too early.
        (b"", 400, "middle of a body"),
        (b"5", 400, "middle of a body"),
        (b"5\r\nHell", 400, "middle of a body"),
        (b"5\r\nHello\r\n", 400, "middle of a body"),
        (b"5\r\nHello\r\n0\r\n", 400, "middle of a body"),
        (b"fffffffffffffff\r\nx", 400, "middle of a body"),
    ],
)
def test_chunks_that_are_refused(stream: bytes, status: int, says: str) -> None:
    run = same_at_every_cut if len(stream) < 200 else same_however_cut
    result = run(read_chunks, stream)
    assert result[2] == status, result
    assert says in str(result[1])
    assert read(lambda: ChunkedBody(502), [stream])[2] == 502


def test_what_was_refused_stays_refused() -> None:
    body = ChunkedBody()
    for piece in (b"x\r\n", b"0\r\n\r\n"):
        with pytest.raises(HttpError, match="hexadecimal"):
            body.receive(piece)
    assert not body.done


def test_a_body_in_many_chunks_byte_by_byte() -> None:
    stream = encode_chunk(b"x" * 5000) * 4 + LAST_CHUNK
    assert same_however_cut(read_chunks, stream, range(0, len(stream), 7)) == (b"x" * 20000, True, b"")


@given(some.lists(some.binary(max_size=40), max_size=6), some.binary(max_size=20), places)
def test_what_is_written_in_chunks_is_read_again(parts: list[bytes], tail: bytes, cuts: list[int]) -> None:
    stream = b"".join(map(encode_chunk, parts)) + LAST_CHUNK
    assert same_however_cut(read_chunks, stream + tail, cuts) == (b"".join(parts), True, tail)


WORDS = (
    b"0",
    b"5",
    b"a",
    b"F",
    b"\r\n",
    b"\n",
    b"\r",
    b";",
    b"x=y",
    b"Hello",
    b"5\r\nHello\r\n",
    b"0\r\n\r\n",
    b"A: b\r\n",
)
good = some.just(b"5;a=b\r\nHello\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n")


@given(some.one_of(garbage(*WORDS), damaged(good)), places, some.binary(max_size=20))
def test_whatever_comes_is_chunks_or_refused(stream: bytes, cuts: list[int], tail: bytes) -> None:
    result = same_however_cut(read_chunks, stream, cuts)
    if result[0] == "HttpError":
        assert result[2] == 400
    else:
        content, done, rest = result
        assert done is True
        assert len(content) < len(stream)  # type: ignore[arg-type]
        assert read_chunks([stream + tail]) == (content, True, rest + tail)  # type: ignore[operator]


@given(some.lists(some.binary(min_size=1, max_size=40), max_size=6))
def test_python_reads_the_same_chunks(parts: list[bytes]) -> None:
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(map(encode_chunk, parts)) + LAST_CHUNK

    class Socket:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(stream)

    other = http.client.HTTPResponse(Socket())  # type: ignore[arg-type]
    other.begin()
    with other:
        assert other.read() == b"".join(parts)


# Which framing a message has.


@pytest.mark.parametrize(
    ("values", "length"),
    [
        ([], None),
        (["0"], 0),
        (["42"], 42),
        (["042"], 42),
        (["42", "42"], 42),
        (["42, 42"], 42),
        (["42 ,42", "42"], 42),
        (["9" * 18], 10**18 - 1),
    ],
)
def test_lengths(values: list[str], length: int | None) -> None:
    assert content_length(Headers(("Content-Length", value) for value in values)) == length


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([""], 400),
        (["+1"], 400),
        (["-1"], 400),
        (["1.0"], 400),
        (["0x1"], 400),
        (["1 2"], 400),
        (["1_0"], 400),
        (["²"], 400),
        (["1,"], 400),
        (["1", "2"], 400),
        (["1, 2"], 400),
        (["1", "01"], 400),
        (["1" * 19], 413),
    ],
)
def test_lengths_that_are_none(values: list[str], status: int) -> None:
    fields = [("Content-Length", value) for value in values]
    with pytest.raises(HttpError) as raised:
        request_body(RequestHead("POST", "/", Headers(fields)))
    assert raised.value.status == status
    with pytest.raises(HttpError) as raised:
        response_body(ResponseHead(200, headers=Headers(fields)), "GET")
    assert raised.value.status == 502


CHUNKED = ("Transfer-Encoding", "chunked")
LENGTH = ("Content-Length", "5")


@pytest.mark.parametrize(
    ("fields", "version", "expected"),
    [
        ([], (1, 1), 0),
        ([LENGTH], (1, 1), 5),
        ([LENGTH], (1, 0), 5),
        ([CHUNKED], (1, 1), None),
        ([("Transfer-Encoding", "Chunked")], (1, 1), None),
        ([("Transfer-Encoding", " , chunked,")], (1, 1), None),
        ([CHUNKED], (1, 0), 400),
        ([CHUNKED, LENGTH], (1, 1), 400),
        ([("Transfer-Encoding", "")], (1, 1), 400),
        ([("Transfer-Encoding", "identity")], (1, 1), 400),
        ([("Transfer-Encoding", "gzip")], (1, 1), 400),
        ([("Transfer-Encoding", "chunked, gzip")], (1, 1), 400),
        ([CHUNKED, CHUNKED], (1, 1), 400),
        ([("Transfer-Encoding", "chunked;q=1")], (1, 1), 400),
        ([("Transfer-Encoding", "xchunked")], (1, 1), 400),
        ([("Transfer-Encoding", '"chunked"')], (1, 1), 400),
        ([("Transfer-Encoding", "gzip, chunked")], (1, 1), 501),
        ([("Transfer-Encoding", "gzip"), CHUNKED], (1, 1), 501),
    ],
)
def test_the_body_of_a_request(fields: list[tuple[str, str]], version: tuple[int, int], expected: int | None) -> None:
    """RFC 9112 section 6.3."""
    head = RequestHead("POST", "/", Headers(fields), version)
    if expected is not None and expected >= 400:
        with pytest.raises(HttpError) as raised:
            request_body(head)
        assert raised.value.status == expected
    else:
        body = request_body(head)
        assert body.length == expected
        assert isinstance(body, ChunkedBody if expected is None else LengthBody)
        assert body.status == 400


@pytest.mark.parametrize(
    ("method", "status", "fields", "expected"),
    [
        ("GET", 200, [LENGTH], LengthBody),
        ("GET", 200, [CHUNKED], ChunkedBody),
        ("GET", 200, [CHUNKED, LENGTH], ChunkedBody),
        ("GET", 200, [], UntilEndBody),
        ("GET", 404, [], UntilEndBody),
        # Without a body, whatever the fields say.
        ("HEAD", 200, [LENGTH], None),
        ("HEAD", 200, [CHUNKED], None),
        ("HEAD", 200, [("Content-Length", "x")], None),
        ("GET", 204, [LENGTH], None),
        ("GET", 304, [LENGTH], None),
        ("GET", 100, [LENGTH], None),
        # A tunnel, whatever the fields say; and one that was refused.
        ("CONNECT", 200, [LENGTH], UntilEndBody),
        ("CONNECT", 299, [CHUNKED], UntilEndBody),
        ("CONNECT", 407, [LENGTH], LengthBody),
        # Framing that is not known here.
        ("GET", 200, [("Transfer-Encoding", "gzip, chunked")], 502),
        ("GET", 200, [("Transfer-Encoding", "gzip")], 502),
        ("GET", 200, [("Transfer-Encoding", "")], 502),
        ("GET", 200, [CHUNKED, CHUNKED], 502),
    ],
)
def test_the_body_of_a_response(
    method: str, status: int, fields: list[tuple[str, str]], expected: type[Body] | int | None
) -> None:
    """RFC 9112 section 6.3."""
    head = ResponseHead(status, headers=Headers(fields))
    if isinstance(expected, int):
        with pytest.raises(HttpError) as raised:
            response_body(head, method)
        assert raised.value.status == expected
        return
    body = response_body(head, method)
    assert isinstance(body, expected or LengthBody)
    assert body.status == 502
    if expected is None:
        assert (body.length, body.done) == (0, True)


def test_chunks_in_a_response_of_http_1_0_are_no_chunks() -> None:
    with pytest.raises(HttpError) as raised:
        response_body(ResponseHead(200, headers=Headers([CHUNKED]), version=(1, 0)), "GET")
    assert raised.value.status == 502


def test_pieces_behind_the_end_go_to_the_rest() -> None:
    for make in (lambda: LengthBody(1), ChunkedBody):
        stream = b"1\r\na\r\n0\r\n\r\n" if make is ChunkedBody else b"a"
        body = make()
        for piece in pieces_of(stream + b"next", [len(stream) + 2]):
            body.receive(piece)
        assert body.rest == b"next"
        body.receive_end()
