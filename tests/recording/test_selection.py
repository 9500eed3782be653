"""Which part of a recording is wanted."""

from __future__ import annotations

import re

import pytest

from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark, RecordedConnection, Side
from wirecat.recording.selection import Selection, moment, sender_of

START = 1_700_000_000_000_000_000
SECOND = 10**9
CONNECTIONS = {
    1: RecordedConnection(1, "tcp", "", Side(Address("tcp", "10.0.0.1", 5)), Side(Address("tcp", "::1", 80)), 0, 0),
    2: RecordedConnection(2, "unix", "", Side(Address("unix", path="")), Side(Address("unix", path="/x")), 0, 0),
}
ENTRIES = [
    Mark(None, START, "note"),
    Chunk(1, START + SECOND, CLIENT, b"hello"),
    Chunk(1, START + 2 * SECOND, SERVER, b"\xfferror"),
    Mark(2, START + 3 * SECOND, "end", CLIENT),
]


def wanted(**options: object) -> list[int]:
    """The numbers of the entries that are wanted."""
    selection = Selection(**options)  # type: ignore[arg-type]
    return [number for number, entry in enumerate(ENTRIES) if selection.wants(entry, CONNECTIONS)]


def test_all() -> None:
    assert wanted() == [0, 1, 2, 3]


@pytest.mark.parametrize("peer", ["10.0.0.1", "10.0.0.1:5", ":5", "::1", "[::1]", "[::1]:80", ":80"])
def test_peers(peer: str) -> None:
    assert wanted(peer=peer) == [1, 2]


def test_others() -> None:
    assert wanted(peer="/x") == wanted(connection=2) == [3]
    assert wanted(peer="10.0.0.2") == []
    assert wanted(sender=CLIENT) == [1, 3]
    assert wanted(pattern="err?or") == [2]
    assert wanted(pattern="hello|\udcff") == [1, 2]
    assert wanted(start="1", end="2.5") == [1, 2]
    assert wanted(start="2000-01-01", end="2023-11-14T22:13:21+00:00") == [0, 1]


def test_moments() -> None:
    assert moment("1.5", START) == START + 1_500_000_000
    assert 0 <= moment("23:59:59.5", START) - moment("23:59", START) <= 60 * SECOND
    for text in ("yesterday", "25:00", "", "1e5", "-1"):
        with pytest.raises(UsageError, match="no time"):
            moment(text, START)


def test_what_cannot_be_read() -> None:
    with pytest.raises(UsageError, match="regular expression"):
        Selection(pattern="(")
    with pytest.raises(UsageError):
        Selection(start="never")
    assert (sender_of(">"), sender_of("server")) == (CLIENT, SERVER)
    with pytest.raises(UsageError, match=re.escape("'up'")):
        sender_of("up")
