"""What only wirecat knows, written and read; and what is no such thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.address import Address
from wirecat.recording.frames import address_fields, decode_frame, encode_frame, read_address


def test_written_and_read() -> None:
    fields = {"text": "Grüße \x1b", "id": 7}
    assert decode_frame(encode_frame("note", 5, **fields)) == {"frame": "note", "time_ns": 5, **fields}


def test_what_is_somebody_elses_is_passed_over() -> None:
    assert decode_frame(b"something else") is None
    assert decode_frame(b"wirecat\x02{}") is None


@pytest.mark.parametrize(
    "rest", [b"", b"[]", b"{}", b'{"frame":1,"time_ns":1}', b'{"frame":"x"}', b'{"frame":"x","time_ns":-1}', b"\xff"]
)
def test_what_is_damaged_is_told(rest: bytes) -> None:
    with pytest.raises(ValueError):
        decode_frame(b"wirecat\x01" + rest)


def test_nesting_without_end_is_told() -> None:
    with pytest.raises(ValueError):
        decode_frame(b"wirecat\x01" + b"[" * 1_000_000)


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::1]:80", "unix:///run/x", "udp://host:5", "80", "exec:cat"])
def test_addresses(text: str) -> None:
    address = Address.parse(text)
    assert read_address(address_fields(address)) == address


VALUES = some.none() | some.integers() | some.text("tcp/:%\0\x1b", max_size=5) | some.booleans()


@given(some.dictionaries(some.sampled_from(["scheme", "host", "port", "path"]), VALUES))
def test_what_is_no_address_is_none(fields: dict[str, object]) -> None:
    assert isinstance(read_address(fields), Address | None)
