"""A connection as packets: numbers that fit, the program's own boundaries, nothing that a reader frowns at."""

from __future__ import annotations

from wirecat.recording.conversation import Conversation
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire import pcapng
from wirecat.wire.capture import CaptureParser
from wirecat.wire.capture_items import Packet
from wirecat.wire.packet import Dissector, Transported
from wirecat.wire.segment import ACK, FIN, LARGEST_SEGMENT, PSH, RST, SYN

HERE, THERE = (bytes([127, 0, 0, 1]), 4000), (bytes([127, 0, 0, 1]), 80)


def segments(pieces: list[bytes | memoryview]) -> list[Transported]:
    """What a reader sees of ``pieces``."""
    parser = CaptureParser()
    data = pcapng.section_header("") + pcapng.interface() + b"".join(pieces)
    found = [Dissector().take(101, each.data, check=True) for each in parser.feed(data) if isinstance(each, Packet)]
    assert all(each is not None and each.intact for each in found)
    return [each for each in found if each is not None]


def made(by_us: bool = True, **settings: object) -> Conversation:
    return Conversation(HERE, THERE, by_us=by_us, **settings)  # type: ignore[arg-type]


def test_whoever_connected_begins() -> None:
    for by_us, first in ((True, HERE), (False, THERE)):
        shake = segments(made(by_us).handshake(0))
        assert [each.flags for each in shake] == [SYN, SYN | ACK, ACK]
        assert shake[0].source == shake[2].source == shake[1].target == first
        assert (shake[1].acknowledged, shake[2].sequence, shake[2].acknowledged) == (1, 1, 1)


def test_a_large_chunk_is_cut_and_its_last_segment_marked() -> None:
    talk = made()
    talk.handshake(0)
    cut = segments(talk.chunk(1, SENT, b"x" * (2 * LARGEST_SEGMENT + 1)))
    assert [len(each.payload) for each in cut] == [LARGEST_SEGMENT, LARGEST_SEGMENT, 1]
    assert [bool(each.flags & PSH) for each in cut] == [False, False, True]
    assert [each.sequence for each in cut] == [1, 1 + LARGEST_SEGMENT, 1 + 2 * LARGEST_SEGMENT]
    (answer,) = segments(talk.chunk(2, RECEIVED, b"y"))
    assert (answer.source, answer.acknowledged) == (THERE, 2 + 2 * LARGEST_SEGMENT)


def test_the_ends() -> None:
    talk = made()
    talk.handshake(0)
    fin, confirmed = segments(talk.end(1, RECEIVED))
    assert (fin.source, fin.flags, confirmed.source, confirmed.flags) == (THERE, FIN | ACK, HERE, ACK)
    assert confirmed.acknowledged == 2
    assert talk.end(1, RECEIVED) == []
    assert segments(talk.end(2, SENT))[0].source == HERE
    assert talk.reset(3, SENT) == []


def test_a_reset_is_the_last() -> None:
    talk = made()
    talk.handshake(0)
    (reset,) = segments(talk.reset(1, RECEIVED))
    assert (reset.source, bool(reset.flags & RST)) == (THERE, True)
    assert talk.end(2, SENT) == []


def test_a_long_one_way_talk_is_confirmed_now_and_then() -> None:
    talk = made()
    talk.handshake(0)
    piece = b"x" * (1 << 20)
    seen = [each for _ in range(40) for each in segments(talk.chunk(1, SENT, piece))]
    assert sum(each.source == THERE for each in seen) == 2


def test_what_was_not_kept_leaves_a_hole() -> None:
    talk = made()
    talk.handshake(0)
    talk.skip(SENT, 100)
    assert segments(talk.chunk(1, SENT, b"x"))[0].sequence == 101
    assert talk.sequence_numbers == (102, 1)


def test_datagrams_need_no_handshake_and_have_no_end() -> None:
    talk = made(datagrams=True)
    assert talk.handshake(0) == talk.end(0, SENT) == talk.reset(0, SENT) == []
    (datagram,) = segments(talk.chunk(0, SENT, b""))
    assert (datagram.source, datagram.payload) == (HERE, b"")
