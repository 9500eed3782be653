"""What the reader and the recorder say of a recording, in the language of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from recording.made import Maker
from views.report.stories import START
from wirecat.recording.reader import read
from wirecat.taps.tap import RECEIVED
from wirecat.views.report.collect import Collector
from wirecat.views.report.notes import about, in_words
from wirecat.views.report.page import report_page
from wirecat.views.report.story import END, SERVER
from wirecat.views.report.summary import warnings
from wirecat.views.report.telling import story_of
from wirecat.views.report.words import Words

ENGLISH, GERMAN = Words("en", "UTC"), Words("de", "UTC")


@pytest.mark.parametrize(
    ("text", "german"),
    [
        (
            "6400 bytes at 1200: the file ends in the middle of a block",
            "6.400 Bytes ab Byte 1.200: die Datei endet mitten in einem Block",
        ),
        (
            "12 bytes at 0: a block is damaged: it cannot be read (its kind is unknown)",
            "12 Bytes ab Byte 0: ein Block ist beschädigt: nicht lesbar (die Art ist unbekannt)",
        ),
        ("the limit of 65536 bytes is reached", "die Obergrenze von 65.536 Bytes ist erreicht"),
        ("… 3 more", "… 3 weitere"),
        ("what a stranger wrote", "what a stranger wrote"),
        ("{0} of it {x}", "{0} of it {x}"),
    ],
)
def test_sentences(text: str, german: str) -> None:
    assert in_words(text, GERMAN) == german
    assert in_words(text, ENGLISH) == text


def test_what_files_say(tmp_path: Path) -> None:
    maker = Maker()
    maker.opened(1)
    maker.frame("note", text="no socket table: permission denied")
    maker.frame("lost", chunks=3, bytes=1500)
    whole = maker.write(tmp_path / "a.pcapng").read_bytes()
    (tmp_path / "a.pcapng").write_bytes(whole[:-5])
    said = warnings(story_of(read(tmp_path / "a.pcapng")), GERMAN)
    assert said[0] == "3 Stücke (1.500 Bytes) gingen der Aufzeichnung verloren"
    assert said[1].endswith("die Datei endet mitten in einem Block")
    assert said[2] == "keine Socket-Tabelle: permission denied"


def test_a_damaged_packet(tmp_path: Path) -> None:
    maker = Maker()
    maker.pieces += maker.opened(1).chunk(maker.now, RECEIVED, b"the bytes that are damaged")
    path = maker.write(tmp_path / "a.pcapng")
    path.write_bytes(path.read_bytes().replace(b"are damaged", b"Are damaged"))
    assert warnings(story_of(read(path)), GERMAN) == ["ein Paket ist beschädigt: die Prüfsumme ist falsch"]


def test_what_is_known_of_a_talk() -> None:
    collector = Collector()
    talk = collector.open("c", "s", START, note="idle, TLS, decrypted TLSv1.3, idle")
    talk.tls, talk.reason = "TLS, decrypted TLSv1.3", "idle"
    talk.close(START + 1, END, SERVER)
    story = collector.story()
    assert about(story.talks[0], GERMAN) == "idle, TLS, entschlüsselt TLSv1.3, zu lange still"
    assert about(story.talks[0], ENGLISH) == "idle, TLS, decrypted TLSv1.3, idle"
    page = report_page(story, GERMAN)
    assert "zu lange still" in page
    assert "TLS, decrypted" not in page.replace("wirecat", "")
