"""Credentials masked in what a client sends to a proxy, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.wire.credential_mask import CredentialMask

SECRET = b"bWU6d29yZA=="
HEAD = b"GET http://x/ HTTP/1.1\r\nHost: x\r\n%s: Basic " + SECRET + b"\r\nAccept: */*\r\n\r\nbody\n"


def masked(*pieces: bytes) -> bytes:
    mask = CredentialMask()
    return b"".join(mask.feed(piece) for piece in pieces)


@pytest.mark.parametrize(
    "name", [b"Proxy-Authorization", b"proxy-authorization", b"PROXY-AUTHORIZATION", b"Proxy-Authorization "]
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_feed_value_is_masked_in_pieces_of_any_size(name: bytes, size: int) -> None:
    head = HEAD % name
    out = masked(*(head[start : start + size] for start in range(0, len(head), size)))
    assert out == head.replace(SECRET, b"*" * len(SECRET)).replace(b"Basic", b"*****")


def test_feed_continued_line_is_masked_too() -> None:
    data = b"Proxy-Authorization: Basic\r\n " + SECRET + b"\r\nAccept: x\r\n"
    for pieces in ([data], [data[:28], data[28:]], [data[:27], data[27:]]):
        assert masked(*pieces) == b"Proxy-Authorization: *****\r\n ************\r\nAccept: x\r\n"


OTHERS = (
    b"", b"\n\n\n", b"Authorization: Basic x\r\n", b"X-Proxy-Authorization: x\r\n", b"a Proxy-Authorization: x\r\n",
    b"Proxy-\nAuthorization: x\n",
)  # fmt: skip


@pytest.mark.parametrize("data", OTHERS)
def test_feed_other_lines_are_unchanged(data: bytes) -> None:
    assert masked(data) == data == masked(*(data[at : at + 1] for at in range(len(data))))


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"Proxy-Authorization", b": ", b"secret", b"proxy-", b" ", b"a"]), max_size=12),
       st.lists(st.integers(0, 60), max_size=6))  # fmt: skip
def test_feed_pieces_make_no_difference(words: list[bytes], cuts: list[int]) -> None:
    data = b"".join(words)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    whole = masked(data)
    assert masked(*(data[a:b] for a, b in zip(places, places[1:], strict=False))) == whole
    assert len(whole) == len(data)
    for line, original in zip(whole.split(b"\n"), data.split(b"\n"), strict=True):
        if original.lower().startswith(b"proxy-authorization"):
            assert b"secret" not in line
