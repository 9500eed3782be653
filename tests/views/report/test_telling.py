"""From recordings to stories: who, when, what, how it ended, and what is missing."""

from __future__ import annotations

from pathlib import Path

from recording.made import LARGE, TIME, Maker
from wirecat.recording.reader import read
from wirecat.recording.snapshot import row_fields
from wirecat.system.socket_row import SocketRow
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.views.report.story import CLIENT, END, OPEN, RESET, SERVER, Story
from wirecat.views.report.telling import story_of


def told(maker: Maker, path: Path, *, ended: bool = True) -> Story:
    return story_of(read(maker.write(path / "a.pcapng", ended=ended)), author="Anna")


def test_a_talk(tmp_path: Path) -> None:
    maker = Maker()
    maker.talk(1, handler="echo")
    story = told(maker, tmp_path)
    (talk,) = story.talks
    assert (talk.client, talk.server, talk.protocol) == ("127.0.0.1:50001", "127.0.0.1:80", "tcp")
    assert (talk.opened, talk.ending, talk.closed_by) == (TIME, END, CLIENT)
    assert [(turn.to_server, turn.size) for turn in talk.turns] == [(True, 6), (False, len(LARGE)), (True, 4)]
    assert [to_server for _, to_server in talk.fins] == [True, False]
    assert [to_server for _, to_server in talk.acks] == [False, True]
    assert talk.handshake == (TIME, TIME, TIME)
    assert (talk.asked, talk.answered, talk.note, talk.lost) == (10, len(LARGE), "echo", 0)
    assert list(story.trips) == [1000]
    assert story.commands == ("wirecat serve echo 127.0.0.1:80",)
    assert (story.machine, story.sources, story.author, story.notes) == ("here (Linux)", ("a.pcapng",), "Anna", ())


def test_other_ends(tmp_path: Path) -> None:
    maker = Maker()
    broken = maker.opened(1)
    maker.now += 1000
    maker.pieces += broken.reset(maker.now, SENT)
    maker.closed(1, by="server", reason="reset")
    maker.opened(2)
    maker.closed(2, by="server", reason="idle")
    maker.opened(3, scheme="tls", tls={"version": "TLSv1.3", "cipher": "X"})
    first, second, third = told(maker, tmp_path).talks
    assert (first.ending, first.closed_by) == (RESET, SERVER)
    assert (second.ending, second.closed_by, second.note) == (END, SERVER, "idle")
    assert (third.ending, third.closed, third.note) == (OPEN, None, "TLS, decrypted TLSv1.3 X")
    assert third.tls == "TLS, decrypted TLSv1.3 X"
    assert first.tls == ""


def test_the_command_names_tls(tmp_path: Path) -> None:
    maker = Maker()
    maker.opened(1, scheme="tls", handler="echo", tls={})
    assert told(maker, tmp_path).commands == ("wirecat serve echo tls://127.0.0.1:80",)


def test_datagrams(tmp_path: Path) -> None:
    maker = Maker()
    maker.pieces += maker.opened(1, scheme="udp").chunk(maker.now, RECEIVED, b"")
    maker.opened(2, handler="another")
    story = told(maker, tmp_path)
    talk = story.talks[0]
    assert story.commands == ()  # it is not known what the other handler was asked for
    assert talk.protocol == "udp"
    assert [turn.size for turn in talk.turns] == [0]


def test_the_socket_table(tmp_path: Path) -> None:
    rows = [
        SocketRow("tcp", "ipv6", "::1", 80, state="LISTEN", pid=7, process="server"),
        SocketRow("tcp", "ipv4", "127.0.0.1", 80, "127.0.0.1", 50001, state="ESTABLISHED"),
    ]
    maker = Maker()
    maker.frame("sockets", rows=row_fields(rows))
    (table,) = told(maker, tmp_path).tables
    assert [(row.local, row.remote, row.state, row.process) for row in table.rows] == [
        ("[::1]:80", "*", "LISTEN", "7/server"),
        ("127.0.0.1:80", "127.0.0.1:50001", "ESTABLISHED", ""),
    ]


def test_what_was_lost_and_what_is_torn_is_told(tmp_path: Path) -> None:
    maker = Maker()
    conversation = maker.opened(1)
    conversation.skip(RECEIVED, 300)
    maker.pieces += conversation.chunk(maker.now, RECEIVED, b"later")
    maker.frame("lost", chunks=1, bytes=300, text="1 chunk was not kept")
    maker.frame("note", text="a note")
    path = tmp_path / "torn.pcapng"
    path.write_bytes(maker.bytes(ended=False)[:-5])
    story = story_of(read(path))
    assert story.talks[0].lost == 300
    assert story.notes[0] == "1 pieces (300 bytes) could not be kept by the recorder"
    assert any("torn" in note or "cut" in note or "end" in note for note in story.notes)


def test_several_files_are_one_story(tmp_path: Path) -> None:
    paths = []
    for number, uid in enumerate("ab", 1):
        maker = Maker(uid)
        maker.now += number * 10_000_000
        maker.talk(number)
        paths.append(maker.write(tmp_path / f"{uid}.pcapng"))
    story = story_of(read(*paths))
    assert [talk.client for talk in story.talks] == ["127.0.0.1:50001", "127.0.0.1:50002"]
    assert story.sources == ("a.pcapng", "b.pcapng")
