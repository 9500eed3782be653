"""The sequence diagram: every step of a short talk; of many connections one for each way, and it says so."""

from __future__ import annotations

import pytest

from views.report.stories import MICRO, SECOND, START, crowd, one_talk, placed, text_of, texts_of
from wirecat.views.report.collect import Collector
from wirecat.views.report.picture_sequence import lanes_of, sequence_picture, steps_of, wrapped
from wirecat.views.report.story import CLIENT, END, RESET, SERVER
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_every_step_of_a_short_talk() -> None:
    texts = texts_of(sequence_picture(one_talk(), WORDS).svg())
    for shown in (
        "client", "127.0.0.1:58800", "server", "127.0.0.1:12345", "SYN", "SYN+ACK", "ACK: connected", "Hallo 5 B",
        "You told me: Hallo 18 B", "0.100250 s", "FIN: the client closes", "FIN: the server closes",
        "Every connection and every step is shown.",
    ):  # fmt: skip
        assert shown in texts


def test_arrows_go_both_ways() -> None:
    steps = steps_of(one_talk().talks, WORDS, merge=False)
    assert [(step.kind, step.to_server) for step in steps] == [
        ("open", True), ("syn", False), ("syn", True), ("data", True), ("data", False), ("data", True), ("data", False),
        ("fin", True), ("ack", False), ("fin", False), ("ack", True),
    ]  # fmt: skip


def drawn(
    handshake: tuple[int, ...], fins: tuple[tuple[int, bool, int | None], ...], protocol: str = "tcp"
) -> list[str]:
    """The arrows of a talk without bytes: direction and text."""
    collector = Collector()
    talk = collector.open("c", "s", START, protocol=protocol)
    talk.handshake = handshake
    for fin in fins:
        talk.fin(*fin)
    talk.close(START + 99, END if fins else RESET, SERVER)
    steps = steps_of(collector.story().talks, WORDS, merge=False)
    return [f"{'>' if step.to_server else '<'} {step.text}" for step in steps]


def test_an_end_that_comes_with_an_acknowledgement_is_one_arrow() -> None:
    assert drawn((1, 2, 3), ((7, False, 8), (8, True, 9))) == [
        "> SYN", "< SYN+ACK", "> ACK: connected", "< FIN: the server closes", "> FIN+ACK: the client closes", "< ACK",
    ]  # fmt: skip


def test_what_did_not_come_is_not_drawn() -> None:
    assert drawn((START,), ()) == ["> SYN", "< RST: the server breaks off"]
    assert drawn((START,), ((START + 1, True, None),)) == ["> SYN", "> FIN: the client closes"]
    assert drawn((), ((START + 1, True, None),), "unix")[0] == "> open"


def test_small_arrows_stand_close_together_and_below_each_other() -> None:
    for width in (360, 920):
        sheet = sequence_picture(one_talk(), WORDS, width)
        at = dict(placed(sheet.svg()))
        assert 16 <= at["SYN+ACK"] - at["SYN"] <= 24
        assert 16 <= at["ACK: connected"] - at["SYN+ACK"] <= 24
        assert at["Hallo 5 B"] - at["ACK: connected"] > 24


def test_a_reset_is_told_with_who_broke_off() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START)
    talk.close(START + 5, RESET, SERVER)
    assert "RST: the server breaks off" in texts_of(sequence_picture(collector.story(), WORDS).svg())


def test_what_is_still_open_is_said() -> None:
    collector = Collector()
    collector.open("c", "s", START)
    assert "⋯ still open when the recording ended ⋯" in texts_of(sequence_picture(collector.story(), WORDS).svg())


def test_datagrams_have_no_handshake_and_no_end() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START, protocol="udp")
    collector.turn(talk, START + 1, True, b"")
    talk.close(START + SECOND, END, CLIENT)
    text = text_of(sequence_picture(collector.story(), WORDS).svg())
    assert "SYN" not in text
    assert "FIN" not in text
    assert " 0 B" in text


def test_datagrams_end_as_they_did() -> None:
    for reason, text in (
        ("idle", "⋯ silence: the server takes the other side for gone ⋯"),
        ("kicked", "⋯ the server ends it ⋯"),
    ):
        collector = Collector()
        talk = collector.open("c", "s", START, protocol="udp")
        talk.reason = reason
        talk.close(START + SECOND, END, SERVER)
        assert text in texts_of(sequence_picture(collector.story(), WORDS).svg())


def test_a_pause_is_told() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START)
    collector.turn(talk, START + 3 * SECOND, True, b"late")
    assert "⋯ 3.00 s later ⋯" in texts_of(sequence_picture(collector.story(), WORDS).svg())


def test_a_long_talk_is_cut_in_its_middle_and_says_so() -> None:
    text = text_of(sequence_picture(crowd(1, texts=200), WORDS).svg())
    assert "message 0 of 0" in text
    assert "message 199 of 0" in text
    assert "message 100 of 0" not in text
    assert "358 more steps" in text
    assert "Of 402 steps 44 are shown" in text


def test_pieces_that_follow_each_other_are_put_together_before_anything_is_cut() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START)
    for piece in range(100):
        collector.turn(talk, START + piece * MICRO, False, b"0123456789")
    text = text_of(sequence_picture(collector.story(), WORDS).svg())
    assert "1.0 kB in 100 pieces" in text
    assert "more steps" not in text


def test_of_many_connections_one_stands_for_each_contents() -> None:
    story = crowd(5000, broken_every=50, alike=True)
    assert [count for _, count in lanes_of(story, 4)] in ([4900, 100], [100, 4900])
    text = text_of(sequence_picture(story, WORDS).svg())
    assert "of 4,900 alike" in text
    assert "5,000 connections with 2 different contents" in text


def test_a_narrow_picture_has_one_client() -> None:
    text = text_of(sequence_picture(crowd(3, alike=True), WORDS, 360).svg())
    assert text.count(" connected") + text.count("open") == 1
    assert "The same was said in all 3 connections" in text


@pytest.mark.parametrize("captured", [False, True])
def test_packets_that_were_not_seen_are_pale_and_explained(captured: bool) -> None:
    collector = Collector()
    talk = collector.open("c", "s", START)
    talk.captured, talk.handshake = captured, (START, START + 1, START + 2)
    collector.turn(talk, START + 3, True, b"x")
    talk.fin(START + 4, True)
    talk.close(START + 4, END, CLIENT)
    svg = sequence_picture(collector.story(), WORDS).svg()
    assert svg.count('dash inferred"') == (0 if captured else 3)
    assert svg.count(' inferred"') == (0 if captured else 8)  # three of the handshake and a FIN, each with its head
    assert ("Pale arrows are packets that were not seen" in text_of(svg)) is not captured


def test_captions_are_wrapped_to_the_width() -> None:
    assert all(len(line) <= 62 for line in wrapped("word " * 100, 360))


def test_bytes_from_inside_tls_are_marked_as_such() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START)
    talk.handshake = (START, START, START)
    talk.tls = "TLS, decrypted TLSv1.3"
    assert "ACK: connected; TLS, decrypted TLSv1.3" in texts_of(sequence_picture(collector.story(), WORDS).svg())
