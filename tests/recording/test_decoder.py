"""From packets and frames to connections: who is who, what is one piece, what is missing."""

from __future__ import annotations

from recording.decoded import DOWN, SHAKE, UP, Decoded, captured, of_file
from recording.made import LARGE, TIME, Maker
from wirecat.recording.model import CLIENT, SERVER
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire.capture_items import Custom
from wirecat.wire.segment import ACK, FIN, PSH, RST, SYN


def test_ours_gives_the_programs_own_pieces() -> None:
    maker = Maker()
    maker.talk(1, handler="echo")
    maker.talk(2, "::1")
    found = of_file(maker.bytes())
    said = [(CLIENT, b"hello\n", 0), (SERVER, LARGE, 0), (CLIENT, b"bye\n", 0)]
    assert found.said == [*said, *said]
    ends = [("opened", ""), ("end", CLIENT), ("end", SERVER), ("closed", CLIENT)]
    assert found.marks == [*ends, *ends]
    first, second = found.connections
    assert (str(first.client.address), str(first.server.address)) == ("127.0.0.1:50001", "127.0.0.1:80")
    assert (first.kind, first.handler, first.closed_by, first.reason) == ("server", "echo", CLIENT, "end")
    assert (first.server.data, first.client.chunks, second.id) == (len(LARGE), 2, 2)


def test_what_the_recorder_lost_is_missing() -> None:
    maker = Maker()
    talk = maker.opened(1)
    maker.pieces += talk.chunk(TIME, SENT, b"a")
    talk.skip(SENT, 1000)
    maker.pieces += talk.chunk(TIME, SENT, b"b")
    talk.skip(SENT, 5)
    maker.pieces += talk.end(TIME, SENT)
    maker.closed(1, "server")
    found = of_file(maker.bytes())
    assert found.said == [(SERVER, b"a", 0), (SERVER, b"b", 1000)]
    assert ("missing", SERVER) in found.marks
    assert found.connections[0].missing == 1005


def test_datagrams() -> None:
    maker = Maker()
    talk = maker.opened(1, scheme="udp")
    for data in (b"one", b"", b"two"):
        maker.pieces += talk.chunk(TIME, RECEIVED, data)
    maker.closed(1, "server", "idle")
    assert of_file(maker.bytes()).said == [(CLIENT, b"one", 0), (CLIENT, b"", 0), (CLIENT, b"two", 0)]


def test_the_same_ports_again_are_another_connection() -> None:
    maker = Maker()
    maker.talk(1)
    maker.now += 1000
    talk = maker.opened(2)
    found = of_file(maker.bytes())
    assert talk.peer[1] == 50002
    again = captured(*SHAKE, (UP, 101, 501, RST, b""), (UP, 9000, 0, SYN, b""), (UP, 9001, 1, PSH | ACK, b"x"))
    assert len(found.connections) == len(again.connections) == 2
    assert again.said == [(CLIENT, b"x", 0)]


def test_others_captures_are_put_together() -> None:
    found = captured(
        *SHAKE,
        (UP, 101, 501, PSH | ACK, b"hello"),
        (UP, 101, 501, PSH | ACK, b"hello"),  # again
        (DOWN, 504, 106, PSH | ACK, b"out of order"),
        (DOWN, 501, 106, PSH | ACK, b"so "),
        (DOWN, 516, 106, FIN | ACK, b""),
        (UP, 106, 517, FIN | ACK, b""),
        (DOWN, 517, 107, ACK, b""),
    )
    assert found.said == [(CLIENT, b"hello", 0), (SERVER, b"so ", 0), (SERVER, b"out of order", 0)]
    assert found.marks == [
        ("opened", ""), ("retransmission", CLIENT), ("out_of_order", SERVER), ("end", SERVER), ("end", CLIENT), ("closed", SERVER),
    ]  # fmt: skip
    (connection,) = found.connections
    assert (connection.client.repeated, connection.server.out_of_order, connection.guessed) == (5, 1, False)
    assert (connection.kind, connection.closed_by, connection.reason) == ("captured", SERVER, "end")
    assert connection.handshake == [TIME, TIME + 1, TIME + 2]
    assert (connection.server.ended_ns, connection.server.confirmed_ns) == (TIME + 7, TIME + 8)
    assert (connection.client.ended_ns, connection.client.confirmed_ns) == (TIME + 8, TIME + 9)


def test_a_handshake_that_was_refused_has_only_its_beginning() -> None:
    (connection,) = captured((UP, 100, 0, SYN, b""), (DOWN, 0, 101, RST | ACK, b"")).connections
    assert connection.handshake == [TIME]


def test_what_was_confirmed_but_not_captured_is_missing() -> None:
    found = captured(*SHAKE, (UP, 111, 501, PSH | ACK, b"late"), (DOWN, 501, 115, ACK, b""))
    assert found.said == [(CLIENT, b"late", 10)]
    assert found.connections[0].missing == 10


def test_one_that_had_begun_before_is_joined() -> None:
    found = captured((DOWN, 7000, 100, PSH | ACK, b"in the middle"), (UP, 100, 7013, RST, b""))
    assert found.said == [(SERVER, b"in the middle", 0)]
    (connection,) = found.connections
    assert connection.joined
    assert connection.guessed
    assert (connection.closed_by, connection.reason) == (CLIENT, "reset")


def test_damage_is_told() -> None:
    maker = Maker()
    maker.talk(1)
    data = maker.bytes().replace(b"hello\n", b"hellO\n")
    found = of_file(data)
    assert ("problem", "") in found.marks
    assert found.said[0] == (SERVER, LARGE, 0)
    assert found.connections[0].client.missing == 6
    junk = Decoded([Custom(32473, b"wirecat\x01rubbish"), Custom(32473, b"another's"), Custom(9, b"wirecat\x01")])
    assert junk.marks == [("problem", "")]
