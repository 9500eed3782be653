"""HTTP answers of devices that do not keep to the standard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.errors import HttpError
from wirecat.wire.device_http import read_device_response

DOCUMENT = b'<?xml version="1.0"?><root><a>1</a></root>'
SIZE = b"Content-Length: %d\r\n\r\n" % len(DOCUMENT)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"%x\r\n%s\r\n" % (len(DOCUMENT), DOCUMENT)


@pytest.mark.parametrize(
    ("data", "oddities"),
    [
        (b"HTTP/1.1 200 OK\r\n" + SIZE + DOCUMENT, []),
        (b"\r\nHTTP/1.0 200\n\n" + DOCUMENT, []),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + SIZE + DOCUMENT, []),
        (b"HTTP/1.1 200 OK\r\n" + CHUNKED + CHUNK + b"0\r\n\r\n", []),
        (b"HTTP/1.1 200 OK\r\n" + CHUNKED + CHUNK, ["its last chunk is missing"]),
        (b"HTTP/1.0 200 OK\r\n" + CHUNKED + CHUNK + b"0\r\n\r\n", ["it sends chunks in HTTP/1.0"]),
        (b"HTTP/1.1 200 OK\r\n" + CHUNKED + DOCUMENT, ["its chunks are malformed"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + DOCUMENT, ["its body is shorter than it says"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + DOCUMENT, ["its body is longer than it says"]),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + DOCUMENT, ["its Content-Length is no number"]),
        (b"HTTP/1.1 200 OK\r\nno field\r\n" + SIZE + DOCUMENT, ["its head has a malformed line"]),
        (DOCUMENT, ["it sends a document without an HTTP head"]),
    ],
)
def test_document_is_found_and_the_oddity_named(data: bytes, oddities: list[str]) -> None:
    """With and without the end of the connection: a device may keep it open, whatever its head says."""
    answer = read_device_response(data, ended=True)
    assert answer is not None
    assert (answer.status, answer.body, answer.oddities) == (200, DOCUMENT, oddities)
    answer = read_device_response(data, ended=False)
    assert answer is not None
    assert (answer.status, answer.body) == (200, DOCUMENT)
    for length in range(1, len(data) - len(b"</root>\r\n0\r\n\r\n")):
        assert read_device_response(data[:length], ended=False) is None


def test_answer_without_document_ends_by_its_framing() -> None:
    head = b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n"
    assert read_device_response(head + b"<htm", ended=False) is None
    answer = read_device_response(head + b"<html", ended=False)
    assert answer is not None
    assert (answer.status, answer.body) == (404, b"<html")
    empty = read_device_response(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ended=False)
    assert empty is not None
    assert empty.body == b""


@pytest.mark.parametrize("data", [b"SSH-2.0\r\n", b"HTTP/1.1 twohundred\r\n\r\n", b"HTTP/1.1 200 OK\r\nx", b"HTTP"])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(HttpError):
        read_device_response(data, ended=True)


@given(some.binary(max_size=200), some.booleans())
def test_nonsense_is_refused_or_read(data: bytes, ended: bool) -> None:
    for start in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\n" + CHUNKED):
        try:
            answer = read_device_response(start + data, ended=ended)
        except HttpError:
            continue
        assert answer is not None or not ended
