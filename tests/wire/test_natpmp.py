"""NAT-PMP: the bytes of RFC 6886, every refusal, and nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.natpmp import (
    ADDRESS_REQUEST,
    NETWORK_FAILURE,
    AddressReply,
    MappingReply,
    mapping_request,
    read_reply,
)

ports = some.integers(0, 65535)
numbers = some.integers(0, 2**32 - 1)


def test_requests_as_the_rfc_draws_them() -> None:
    assert bytes([0, 0]) == ADDRESS_REQUEST
    assert mapping_request(0x1234, 0x5678, 7200) == bytes.fromhex("0002 0000 1234 5678 00001c20")
    assert mapping_request(1, 0, 0, "udp")[1] == 1


def test_a_router_without_an_address() -> None:
    assert read_reply(bytes.fromhex("00800003 00000001 00000000")) == AddressReply(NETWORK_FAILURE, 1, "")
    # A refusal may be as short as it wants.
    assert read_reply(bytes.fromhex("00800003")) == AddressReply(NETWORK_FAILURE, 0, "")
    assert read_reply(bytes.fromhex("00820002")) == MappingReply(2, 0, "tcp", 0, 0, 0)


@given(ports, ports, numbers, numbers, some.sampled_from(["tcp", "udp"]))
def test_a_mapping_is_read(internal: int, external: int, lifetime: int, epoch: int, protocol: str) -> None:
    request = mapping_request(internal, external, lifetime, protocol)
    reply = bytes([0, request[1] + 128, 0, 0]) + epoch.to_bytes(4, "big") + request[4:]
    assert read_reply(reply) == MappingReply(0, epoch, protocol, internal, external, lifetime)


@pytest.mark.parametrize("data", ["", "0080", "0000 0000", "0280 0000", "0080 0000 00000001", "0082 0000", "00f0 0000"])
def test_what_is_no_reply(data: str) -> None:
    with pytest.raises(ValueError, match="NAT-PMP"):
        read_reply(bytes.fromhex(data))


@given(some.binary(max_size=40))
def test_nonsense_is_a_value_error_at_worst(data: bytes) -> None:
    try:
        assert read_reply(data).result >= 0
    except ValueError as error:
        assert "NAT-PMP" in str(error)
