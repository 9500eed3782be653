"""What stood in the windows: the server's log, the clients' questions and replies."""

from __future__ import annotations

from views.report.stories import START, crowd, one_talk
from wirecat.views.report.collect import Collector
from wirecat.views.report.story import CLIENT, END, RESET, SERVER
from wirecat.views.report.windows import client_windows, server_window
from wirecat.views.report.words import Words

WORDS = Words("en", "UTC")


def test_the_server_logs_as_serve_does() -> None:
    assert [text for _, text in server_window(one_talk(), WORDS).lines] == [
        "21:30:05 #1 127.0.0.1:58800 connected (1 open)",
        "21:30:05 #1 > Hallo",
        "21:30:05 #1 < You told me: Hallo",
        "21:30:05 #1 > quit",
        "21:30:05 #1 < You told me: quit",
        "21:30:05 #1 127.0.0.1:58800 closed by the client after 201 ms: 9 B in, 35 B out (0 open)",
    ]


def test_the_client_shows_what_was_typed_and_what_came() -> None:
    (window,) = client_windows(one_talk(), WORDS, 6)
    assert window.title == "the client's window"
    assert window.lines == [
        ("typed", "> Hallo"), ("said", "You told me: Hallo"), ("typed", "> quit"), ("said", "You told me: quit"),
    ]  # fmt: skip


def test_a_command_stands_in_the_window_of_its_side() -> None:
    collector = Collector()
    collector.open("c", "s", START)
    story = collector.story(commands=["wirecat serve echo 12345"])
    assert server_window(story, WORDS).command == "wirecat serve echo 12345"
    assert client_windows(story, WORDS, 1)[0].command == ""


def test_of_many_clients_each_way_is_there() -> None:
    windows = client_windows(crowd(500, broken_every=100), WORDS, 6)
    assert len(windows) == 6
    assert [("dim", "broken off (RST)")] in [window.lines[-1:] for window in windows]


def test_a_server_of_many_shows_its_last_lines_and_counts_the_rest() -> None:
    window = server_window(crowd(1000), WORDS)
    assert window.above + 60 == 1000 * 6
    assert "(0 open)" in window.lines[-1][1]


def test_lines_of_a_piece() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START)
    collector.turn(talk, START + 1, True, b"one\r\ntwo\n")
    collector.turn(talk, START + 2, False, b"\n".join([b"\x1b[2J"] * 20))
    talk.close(START + 3, RESET, "")
    (window,) = client_windows(collector.story(), WORDS, 1)
    assert window.lines[:2] == [("typed", "> one"), ("typed", "> two")]
    assert window.lines[2:] == [("said", "\\x1b[2J")] * 6 + [("said", "… (99 B)"), ("dim", "broken off (RST)")]


def test_the_server_logs_in_its_own_words_in_every_language() -> None:
    assert server_window(one_talk(), Words("de", "UTC")).lines == server_window(one_talk(), WORDS).lines


def test_ends_that_are_no_orderly_ones_and_clients_without_a_name() -> None:
    collector = Collector()
    idle = collector.open("unix", "unix:///run/x", START, protocol="unix")
    idle.close(START + 1000, END, SERVER)
    idle.reason = "idle"
    collector.open("not an address\x1b", "s", START + 1).close(START + 2000, RESET, CLIENT)
    assert [line.partition(" ")[2] for _, line in server_window(collector.story(), WORDS).lines] == [
        "#1 a program of this PC connected (1 open)",
        "#2 a program of this PC connected (2 open)",
        "#1 a program of this PC closed by the server (idle) after 0 ms: 0 B in, 0 B out (1 open)",
        "#2 a program of this PC closed by the client (reset) after 0 ms: 0 B in, 0 B out (0 open)",
    ]
