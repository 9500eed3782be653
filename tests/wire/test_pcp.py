"""PCP: the layout of RFC 6887, both families, and nonsense."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.wire.pcp import MAP, NO_RESOURCES, PcpReply, announce_request, map_request, read_reply

hosts = some.one_of(some.ip_addresses(v=4), some.ip_addresses(v=6)).map(str)
ports = some.integers(0, 65535)


def test_an_announcement_changes_nothing() -> None:
    request = announce_request("192.168.1.7")
    assert request == bytes.fromhex("0200 0000 00000000 00000000000000000000ffff c0a80107")


def test_a_mapping_as_the_rfc_draws_it() -> None:
    request = map_request("192.168.1.7", bytes(range(12)), 12345, external_port=2000, lifetime=120)
    assert request[:24] == bytes.fromhex("0201 0000 00000078 00000000000000000000ffff c0a80107")
    assert request[24:] == bytes(range(12)) + bytes.fromhex("06000000 3039 07d0 00000000000000000000ffff 00000000")
    assert map_request("2001:db8::7", b"n" * 12, 1, lifetime=0)[44:] == bytes(16)


def test_a_refusal_may_tell_the_router_s_address() -> None:
    """As miniupnpd answers behind a carrier's translator."""
    data = bytes.fromhex("0281 0008 0000001e 00000001" + "00" * 12 + "6e" * 12 + "06000000 3039 3039")
    reply = read_reply(data + bytes.fromhex("00000000000000000000ffff 64400702"))
    assert (reply.result, reply.host, reply.lifetime, reply.external_port) == (NO_RESOURCES, "100.64.7.2", 30, 12345)


@given(hosts, some.binary(min_size=12, max_size=12), ports, ports, hosts)
def test_a_mapping_is_read(client: str, nonce: bytes, port: int, external: int, host: str) -> None:
    request = map_request(client, nonce, port, external_port=external, external_host=host, lifetime=60)
    reply = bytes([2, 0x81, 0, 0]) + request[4:8] + (9).to_bytes(4, "big") + bytes(12) + request[24:]
    found = read_reply(reply)
    seen = ipaddress.ip_address(host)
    if isinstance(seen, ipaddress.IPv6Address) and seen.ipv4_mapped is not None:
        seen = seen.ipv4_mapped
    assert (found.host or "none") == ("none" if not int(seen) else str(seen)) or ipaddress.ip_address(
        found.host
    ) == seen
    assert found.replace(host="") == PcpReply(MAP, 0, 60, 9, nonce, 6, port, external)


@pytest.mark.parametrize(
    "data", [b"", bytes(24), bytes([0, 128, 0, 1]), bytes([2, 1]) + bytes(58), bytes([2, 0x81]) + bytes(30)]
)
def test_what_is_no_reply(data: bytes) -> None:
    with pytest.raises(ValueError, match="PCP"):
        read_reply(data)


@given(some.binary(max_size=80), some.booleans())
def test_nonsense_is_a_value_error_at_worst(data: bytes, begins_well: bool) -> None:
    try:
        read_reply(bytes([2, 0x81]) + data if begins_well else data)
    except ValueError as error:
        assert "PCP" in str(error)
