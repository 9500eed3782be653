"""The character generator: its pattern, its pace, its end, and how little memory it takes."""

from __future__ import annotations

from server.clients import eventually, exactly, serving, stands_still
from wirecat.server.handlers.chargen import make


def is_the_pattern(data: bytes) -> bool:
    """RFC 864, "it is recommended": 72 of the 95 printing characters, each line one further on."""
    ring = "".join(map(chr, range(32, 127))) * 2
    lines = data.decode("ascii").split("\r\n")[:-1]
    return all(line == ring[number % 95 : number % 95 + 72] for number, line in enumerate(lines))


def test_the_pattern(engine: str) -> None:
    with serving("chargen", engine=engine) as served, served.connect() as client:
        data = exactly(client, 74 * 1000)
        assert data.count(b"\r\n") == 1000
        assert is_the_pattern(data)


def test_alone() -> None:
    responder = make("")()
    assert responder.streams and responder.receive(b"x") is None
    first, second = responder.more(), responder.more()
    assert first and second and is_the_pattern(first + second)


def test_a_reader_that_does_not_read_costs_little(engine: str) -> None:
    with serving("chargen", engine=engine) as served, served.connect() as client:
        eventually(lambda: stands_still(served.server), "it waits for its reader")
        assert served.server.connections[0].sent < 20_000_000, "the buffers of two systems, and not more"
        assert is_the_pattern(exactly(client, 74 * 200_000))


def test_it_ends_when_the_client_goes(engine: str) -> None:
    with serving("chargen", engine=engine) as served:
        for number in range(1, 11):
            with served.connect() as client:
                assert len(exactly(client, 100_000)) == 100_000
            served.wait_gone(number)
        assert {each.by for each in served.wait_gone(10)} == {"peer"}
        assert not served.failures


def test_what_the_client_says_is_thrown_away(engine: str) -> None:
    with serving("chargen", engine=engine) as served, served.connect() as client:
        client.sendall(b"x" * 1_000_000)
        assert is_the_pattern(exactly(client, 74 * 1000))
        eventually(lambda: served.server.connections[0].received == 1_000_000, "all of it is read")
