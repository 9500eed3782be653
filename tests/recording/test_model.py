"""What a recording holds, as plain data."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.recording.model import CLIENT, SERVER, RecordedConnection, Side, other_side


def test_sides() -> None:
    assert other_side(CLIENT) == SERVER
    assert other_side(other_side(CLIENT)) == CLIENT
    client, server = Side(Address(port=1), missing=2), Side(Address(port=2), missing=3)
    connection = RecordedConnection(1, "tcp", "server", client, server, 5, 6)
    assert connection.side(CLIENT) is client
    assert connection.side(SERVER) is server
    assert connection.missing == 5
