"""OpenSSL without I/O: two sides joined in memory, cut anywhere."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wirecat.endpoints.tls_context import client_context, server_context
from wirecat.endpoints.tls_engine import TlsEngine


def move(source: TlsEngine, sink: TlsEngine, step: int = 1 << 20) -> int:
    """Carry what one wants to send to the other, in pieces of ``step`` bytes."""
    data = source.take_out()
    for place in range(0, len(data), step):
        sink.feed(data[place : place + step])
    return len(data)


def shaken(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, step: int = 1 << 20) -> tuple[TlsEngine, TlsEngine]:
    context = client_context(verify=False)
    context.maximum_version = version
    client, server = TlsEngine(context, False, "localhost"), TlsEngine(server_context(), True, "")
    done = [False, False]
    while not all(done):
        done[0] = client.shake()
        move(client, server, step)
        done[1] = server.shake()
        move(server, client, step)
    return client, server


def read(engine: TlsEngine, size: int = 1000) -> bytes | None:
    buffer = memoryview(bytearray(size))
    count = engine.read_into(buffer)
    return None if count is None else bytes(buffer[:count])


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_written_is_read(version: ssl.TLSVersion) -> None:
    client, server = shaken(version)
    assert not server.wants_out
    client.write(memoryview(b"hello"))
    assert client.wants_out
    assert read(server) is None
    move(client, server)
    assert server.buffered
    assert read(server) == b"hello"
    assert read(server) is None
    assert not server.buffered


@pytest.mark.parametrize("version", VERSIONS)
def test_cut_at_every_byte(version: ssl.TLSVersion) -> None:
    client, server = shaken(version, step=1)
    client.write(memoryview(b"one"))
    client.write(memoryview(b"two"))
    client.close_notify()
    data, received = client.take_out(), b""
    for byte in data:
        server.feed(bytes([byte]))
        received += read(server) or b""
    assert received == b"onetwo"
    assert server.ended


@given(
    some.lists(some.binary(min_size=1, max_size=40_000), max_size=4), some.integers(1, 70_000), some.integers(1, 70_000)
)
def test_any_pieces_any_cuts_any_buffers(pieces: list[bytes], step: int, size: int) -> None:
    client, server = PAIR
    for piece in pieces:
        server.write(memoryview(piece))
    received, data = b"", server.take_out()
    for place in range(0, len(data), step):
        client.feed(data[place : place + step])
        while (piece := read(client, size)) is not None:
            assert 0 < len(piece) <= size
            received += piece
    assert received == b"".join(pieces)


PAIR = shaken()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_end_in_the_middle_of_what_comes_loses_nothing(version: ssl.TLSVersion) -> None:
    """OpenSSL looks for the peer's end when it sends ours, and would stumble over data: whole, half and none."""
    client, server = shaken(version)
    data = bytes(range(256)) * 200
    server.write(memoryview(data))
    encrypted = server.take_out()
    client.feed(encrypted[:20_000])
    client.close_notify()
    client.close_notify()  # twice is nothing
    client.feed(encrypted[20_000:])
    received = b""
    while (piece := read(client)) is not None:
        received += piece
    assert received == data
    move(client, server)
    assert read(server) == b""
    server.write(memoryview(b"and more"))
    server.close_notify()
    move(server, client)
    assert read(client) == b"and more"
    assert read(client) == b""
    assert client.ended
    client.close_notify()


def test_an_end_that_came_before_ours() -> None:
    client, server = shaken()
    server.write(memoryview(b"last"))
    server.close_notify()
    move(server, client)
    client.close_notify()
    assert read(client) == b"last"
    assert read(client) == b""
    assert read(client) == b""


def test_what_came_before_garbage_is_read_and_then_it_is_broken_each_time() -> None:
    client, server = shaken()
    client.write(memoryview(b"good"))
    move(client, server)
    server.feed(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert read(server) == b"good"
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            read(server)
    assert server.wants_out, "an alert for the peer"
    server.close_notify()  # broken as it is, that is no fault


def test_garbage_while_the_own_end_is_sent_is_found_later() -> None:
    client, server = shaken()
    server.feed(b"\x17\x03\x03\x00\x20" + bytes(32))
    server.close_notify()
    with pytest.raises(ssl.SSLError):
        read(server)
    assert not client.ended
