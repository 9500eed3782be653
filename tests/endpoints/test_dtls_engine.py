"""DTLS without I/O: datagrams cut between records, and none longer than a network takes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.endpoints.dtls_engine import MTU, cut_into_datagrams


def record(size: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2, "big") + bytes(size)


@given(some.lists(some.integers(0, 3000), max_size=20), some.integers(20, 2000))
def test_records_stay_whole_and_datagrams_small(sizes: list[int], mtu: int) -> None:
    records = [record(size) for size in sizes]
    datagrams = cut_into_datagrams(b"".join(records), mtu)
    assert b"".join(datagrams) == b"".join(records)
    edges = {0}
    for each in records:
        edges.add(max(edges) + len(each))
    place = 0
    for datagram in datagrams:
        place += len(datagram)
        assert place in edges, "cut between records"
        assert len(datagram) <= mtu or len(datagram) - 13 in sizes, "or it is a single record"
    assert all(len(one) + len(two) > mtu for one, two in itertools.pairwise(datagrams) if two in records)


def test_nothing_is_no_datagram() -> None:
    assert cut_into_datagrams(b"") == []


def test_both_sides_in_memory() -> None:
    pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")
    from wirecat.endpoints.dtls_context import DtlsContext

    client = DtlsContext(server_side=False, verify=False).engine(False, "localhost", "x")
    server = DtlsContext(server_side=True).engine(True, "", "x")
    done = [False, False]
    while not all(done):
        done[0] = client.shake()
        for datagram in client.take_out():
            assert len(datagram) <= MTU
            server.feed(datagram)
        done[1] = server.shake()
        for datagram in server.take_out():
            assert len(datagram) <= MTU
            client.feed(datagram)
    assert server.resend_after is None
    assert client.read() is None
    server.write(b"hello")
    (datagram,) = server.take_out()
    client.feed(b"")
    client.feed(datagram)
    client.feed(datagram)  # what comes twice is given once (RFC 6347 section 4.1.2.6)
    assert client.read() == b"hello"
    assert client.read() is None
    client.close_notify()
    for datagram in client.take_out():
        server.feed(datagram)
    assert server.read() == b""
    assert server.ended
    client.close_notify()
