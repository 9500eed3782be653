"""SSDP: the search, and the answers of honest and of lying devices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.ssdp import SearchReply, read_reply, search_request

ANSWER = (
    b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\nEXT:\r\n"
    b"SERVER: x/1 UPnP/1.1 y/2\r\nLocation: http://192.168.1.1:5000/rootDesc.xml\r\n"
)
READ = SearchReply("http://192.168.1.1:5000/rootDesc.xml", "upnp:rootdevice", "x/1 UPnP/1.1 y/2")


def test_the_search() -> None:
    assert search_request("ssdp:all", "192.168.1.1") == (
        b'M-SEARCH * HTTP/1.1\r\nHOST: 192.168.1.1:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n'
    )


@pytest.mark.parametrize("end", [b"\r\n", b"", b"\r\n\r\n\0", b"no field\r\n\r\n"])
def test_an_answer(end: bytes) -> None:
    assert read_reply(ANSWER + end) == READ


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/\r\n\r\n",
        b"HTTP/1.1 404 no\r\nLOCATION: http://192.168.1.1/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nST: x\r\n\r\n",
        ANSWER + b"X: " + b"x" * 5000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_reply(data)


@given(some.binary(max_size=200))
def test_nonsense_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_reply(b"HTTP/1.1 200 OK\r\n" + data.replace(b":", b""))
