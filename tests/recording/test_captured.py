"""Connections in captures by others: which packet belongs to which, and what each side sent, whatever the order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as some

from recording.decoded import CLIENT_END, DOWN, SERVER_END, SHAKE, UP, Decoded, captured
from recording.made import TIME
from wirecat.recording.captured import MOST_WAITING
from wirecat.recording.model import CLIENT, SERVER, Chunk
from wirecat.wire.capture_items import Packet
from wirecat.wire.segment import ACK, FIN, PSH, RST, SYN, Way


def test_fin_that_overtakes_data_ends_the_direction_at_its_place() -> None:
    found = captured(
        *SHAKE,
        (DOWN, 501, 101, ACK, b"one "), (DOWN, 509, 101, PSH | FIN | ACK, b"three"), (UP, 101, 505, ACK, b""),
        (DOWN, 505, 101, ACK, b"two "), (UP, 101, 515, FIN | ACK, b""), (DOWN, 515, 102, ACK, b""),
    )  # fmt: skip
    assert found.said == [(SERVER, b"one ", 0), (SERVER, b"two ", 0), (SERVER, b"three", 0)]
    assert found.marks[-3:] == [("end", SERVER), ("end", CLIENT), ("closed", SERVER)]
    assert found.connections[0].missing == 0
    assert found.connections[0].server.confirmed_ns == TIME + 7


def test_fin_whose_data_never_came_reports_them_missing() -> None:
    found = captured(*SHAKE, (DOWN, 511, 101, FIN | ACK, b""), (UP, 101, 512, FIN | ACK, b""))
    assert found.connections[0].server.missing == 10
    assert found.marks[1:4] == [("missing", SERVER), ("end", SERVER), ("end", CLIENT)]


def test_refused_attempt_opened_nothing() -> None:
    found = captured((UP, 100, 0, SYN, b""), (DOWN, 0, 101, RST | ACK, b""))
    assert found.marks == [("refused", SERVER)]
    (connection,) = found.connections
    assert (connection.outcome, connection.closed_by, connection.reason) == ("refused", SERVER, "refused")


def test_attempt_without_an_answer_opened_nothing() -> None:
    found = captured((UP, 100, 0, SYN, b""), (UP, 100, 0, SYN, b""), (UP, 100, 0, SYN, b""))
    assert found.marks == [("unanswered", CLIENT)]
    assert (found.connections[0].outcome, found.connections[0].attempts) == ("unanswered", 3)


def test_attempt_again_after_a_refusal_is_the_same_connection() -> None:
    found = captured(
        (UP, 100, 0, SYN, b""), (DOWN, 0, 101, RST | ACK, b""), (UP, 100, 0, SYN, b""), (DOWN, 9500, 101, SYN | ACK, b""),
        (UP, 101, 9501, PSH | ACK, b"ask"), (DOWN, 9501, 104, PSH | ACK, b"answer"),
    )  # fmt: skip
    assert found.said == [(CLIENT, b"ask", 0), (SERVER, b"answer", 0)]
    assert found.marks == [("refused", SERVER), ("opened", "")]
    (connection,) = found.connections
    assert (connection.outcome, connection.reason, connection.closed_ns) == ("", "", None)


def test_of_several_syn_acks_the_last_counts() -> None:
    found = captured(
        SHAKE[0], (DOWN, 500, 101, SYN | ACK, b""), (DOWN, 3_000_000_000, 101, SYN | ACK, b""),
        (UP, 101, 3_000_000_001, ACK, b""), (DOWN, 3_000_000_001, 101, PSH | ACK, b"all of it"),
    )  # fmt: skip
    assert found.said == [(SERVER, b"all of it", 0)]
    assert len(found.connections) == 1


@pytest.mark.parametrize("isn", [700_000_000, 2_700_000_000])
def test_ports_reused_after_a_connection_whose_syn_was_not_captured(isn: int) -> None:
    found = captured(
        (UP, 101, 501, PSH | ACK, b"old"), (DOWN, 501, 104, PSH | ACK, b"answer"), (UP, 104, 507, RST | ACK, b""),
        (UP, isn, 0, SYN, b""), (DOWN, isn + 9, isn + 1, SYN | ACK, b""), (UP, isn + 1, isn + 10, PSH | ACK, b"new"),
        (DOWN, isn + 10, isn + 4, PSH | ACK, b"other"),
    )  # fmt: skip
    assert found.said == [(CLIENT, b"old", 0), (SERVER, b"answer", 0), (CLIENT, b"new", 0), (SERVER, b"other", 0)]
    first, second = found.connections
    assert (first.joined, first.missing, second.joined, second.missing) == (True, 0, False, 0)


def test_simultaneous_open_is_one_connection() -> None:
    found = captured(
        (UP, 100, 0, SYN, b""), (DOWN, 500, 0, SYN, b""), (UP, 100, 501, SYN | ACK, b""), (DOWN, 500, 101, SYN | ACK, b""),
        (UP, 101, 501, PSH | ACK, b"a"), (DOWN, 501, 102, PSH | ACK, b"b"),
    )  # fmt: skip
    assert found.said == [(CLIENT, b"a", 0), (SERVER, b"b", 0)]
    assert [each.outcome for each in found.connections] == [""]


def test_data_after_a_reset_show_that_the_connection_goes_on() -> None:
    found = captured(
        *SHAKE, (DOWN, 501, 0, RST, b""), (UP, 101, 501, PSH | ACK, b"still"), (DOWN, 501, 106, PSH | ACK, b"here")
    )
    assert found.said == [(CLIENT, b"still", 0), (SERVER, b"here", 0)]
    assert found.connections[0].closed_ns is None


def test_acknowledgement_that_stands_before_its_data_loses_nothing() -> None:
    found = captured(
        *SHAKE, (UP, 101, 501, PSH | ACK, b"one"), (UP, 107, 501, PSH | ACK, b"three"), (DOWN, 501, 112, ACK, b""),
        (UP, 104, 501, PSH | ACK, b"two"),
    )  # fmt: skip
    assert found.said == [(CLIENT, b"one", 0), (CLIENT, b"two", 0), (CLIENT, b"three", 0)]


def test_piece_behind_a_hole_keeps_the_time_of_its_segment() -> None:
    found = captured(
        *SHAKE, (UP, 101, 501, PSH | ACK, b"one"), (UP, 110, 501, PSH | ACK, b"two"), (UP, 113, 501, PSH, b"3")
    )
    assert [(each.time_ns, each.data) for each in found.entries if isinstance(each, Chunk)] == [
        (TIME + 3, b"one"), (TIME + 4, b"two"), (TIME + 5, b"3"),
    ]  # fmt: skip


def test_trouble_is_marked_where_it_happened() -> None:
    found = Decoded(
        Packet(TIME + number, 101, way.tcp(sequence, 501 if way is UP else 101, flags, data, window) + data, 0)
        for number, (way, sequence, flags, data, window) in enumerate((
            (UP, 101, PSH | ACK, b"abc", 99), (UP, 101, PSH | ACK, b"abX", 99), (DOWN, 501, ACK, b"", 0),
            (DOWN, 501, ACK, b"", 0), (DOWN, 501, ACK, b"", 9), (UP, 103, ACK, b"\0", 99),
        ))
    )  # fmt: skip
    assert found.marks[1:] == [("retransmission", CLIENT), ("conflict", CLIENT), ("zero_window", SERVER)]
    client, server = found.connections[0].client, found.connections[0].server
    assert (client.repeated, client.conflicts, client.keep_alives, server.zero_windows) == (3, 1, 1, 1)


def test_waiting_bytes_of_all_connections_together_are_bounded() -> None:
    ways = [Way(CLIENT_END[0], 1000 + number, *SERVER_END) for number in range(50)]
    found = captured(*(
        (way, 100 + (2 * piece + 1) * 60_000 if piece >= 0 else 0, 0, ACK, bytes(60_000))
        for piece in range(-1, 20) for way in ways
    ))  # fmt: skip
    assert len(found.said) == 50 * 21
    assert sum(each.missing for each in found.connections) > 0
    waiting = found.entries.index(found.entries[-1])
    assert waiting > MOST_WAITING // 60_000


@given(some.data())
def test_whatever_the_order_both_sides_are_put_together(choose: some.DataObject) -> None:
    """Both sides' bytes, in pieces that are repeated and swapped as a network does, acknowledged once they are there."""
    texts = {way: choose.draw(some.binary(min_size=1, max_size=200)) for way in (UP, DOWN)}
    first = {UP: 101, DOWN: 501}
    segments = []
    for way, text in texts.items():
        cuts = sorted({0, len(text), *choose.draw(some.lists(some.integers(0, len(text)), max_size=8))})
        pieces = list(itertools.pairwise(cuts))
        pieces += choose.draw(some.lists(some.sampled_from(pieces), max_size=4))
        for start, end in choose.draw(some.permutations(pieces)):
            segments.append((way, first[way] + start, first[DOWN if way is UP else UP], PSH | ACK, text[start:end]))
    found = captured(*SHAKE, *choose.draw(some.permutations(segments)))
    for way, sender in ((UP, CLIENT), (DOWN, SERVER)):
        assert b"".join(data for side, data, _ in found.said if side == sender) == texts[way]
    assert found.connections[0].missing == 0
