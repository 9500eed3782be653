"""A recording as a transcript: every piece with its time, and nothing in it that a terminal would obey."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from recording.made import TIME, Maker
from wirecat.address import Address
from wirecat.errors import UsageError
from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark, RecordedConnection, Side
from wirecat.recording.reader import Reading, read
from wirecat.views.json_recording import entry_line
from wirecat.views.text_recording import Transcript, heading, opened, shortcomings

CLOCK = re.compile(r"^\d\d:\d\d:\d\d\.\d{6} ")


def transcript(*entries: Chunk | Mark, **options: object) -> list[str]:
    made = Transcript({}, **options)  # type: ignore[arg-type]
    return [CLOCK.sub("", line) for entry in entries for line in made.lines(entry)]


def test_a_whole_recording(tmp_path: Path) -> None:
    maker = Maker()
    talk = maker.opened(1, handler="echo")
    maker.now += 1000
    maker.pieces += talk.chunk(maker.now, "received", b"hello\nyou")
    maker.now += 2_500_000_000
    maker.pieces += talk.chunk(maker.now, "sent", b"\x1b[2J\xff")
    maker.pieces += talk.end(maker.now, "sent")
    maker.pieces += talk.reset(maker.now, "received")
    maker.closed(1, "server", "reset")
    path = maker.write(tmp_path / "talk")
    reading = Reading((str(path),))
    made = Transcript(reading.connections)
    lines = [line for entry in reading.entries() for line in made.lines(entry)]
    assert CLOCK.match(lines[0])
    assert lines[1].index("hello") == lines[2].index("you")
    assert [CLOCK.sub("", line).strip() for line in lines] == [
        "#1 127.0.0.1:50001 connected to 127.0.0.1:80 (tcp; handler echo)",
        "#1 > hello\\n",
        "you",
        "… 2.5 s",
        "#1 < \\x1b[2J\\xff",
        "#1 < (end)",
        "#1 > (reset)",
        "#1 closed by the server (reset) after 2.5 s: 9 B >, 5 B <",
    ]
    first, second = heading(read(path))
    assert first == f"{path}: recorded by wirecat 1.2.3 on here (serve)"
    assert second.endswith("2.5 s, 1 connection")


def test_hex_and_what_is_missing() -> None:
    lines = transcript(Chunk(1, TIME, SERVER, b"Hallo", 7), hexadecimal=True)
    assert lines[0] == "#1 < (7 bytes missing here)"
    assert lines[1].strip() == "#1 < 5 bytes"
    assert lines[2:] == ["  0000   48 61 6c 6c 6f                                    Hallo"]


def test_an_empty_datagram_is_shown() -> None:
    assert transcript(Chunk(1, TIME, CLIENT, b"")) == ["#1 > "]


def test_what_concerns_no_connection() -> None:
    lines = transcript(
        Mark(None, TIME, "sockets", text="3 sockets"), Mark(None, TIME, "problem", text="bad"),
        Mark(None, TIME, "note", text="a note"), Mark(1, TIME, "detached"), Mark(1, TIME, "missing", CLIENT, "5 bytes"),
    )  # fmt: skip
    assert lines == ["socket table: 3 sockets", "damaged: bad", "a note", "#1 is recorded no more", "#1 > (5 bytes)"]


def test_a_connection_in_words() -> None:
    unix = RecordedConnection(1, "unix", "", Side(Address("unix")), Side(Address("unix", path="/x")), 0, 0)
    assert opened(unix) == "unix:// connected to unix:///x (unix)"
    unix.tls, unix.joined, unix.guessed = {"version": "TLSv1.3\x1b"}, True, True
    assert opened(unix) == (
        "unix:// and unix:///x were connected before the recording began "
        "(unix; TLSv1.3\\x1b, shown decrypted; which side is the client is a guess)"
    )


def test_shortcomings(tmp_path: Path) -> None:
    maker = Maker()
    maker.frame("lost", chunks=2, bytes=5)
    recording = read(maker.write(tmp_path / "x", ended=False))
    assert shortcomings(recording) == [
        "the recording was not ended in an orderly way, or still goes on",
        "5 bytes in 2 pieces could not be kept when it was made",
    ]
    recording.problem_count, recording.left_out = 3, {"ARP": 1, "GTP": 42, "too short or damaged to be read": 2}
    found = shortcomings(recording)
    assert found[0] == "3 more of the kind"
    assert found[-3:] == [
        "42 packets are GTP, which is not decoded", "2 packets are too short or damaged to be read",
        "1 packet is ARP, which is not decoded",
    ]  # fmt: skip


def whole() -> bytes:
    maker = Maker()
    for number in range(1, 4):
        maker.echo(number)
    maker.frame("sockets", rows=[{"protocol": "tcp", "family": "ipv4", "local_host": "x", "local_port": 1}])
    maker.frame("lost", chunks=1, bytes=2, text="lost")
    return maker.bytes()


WHOLE = whole()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.data())
def test_whatever_was_damaged_is_shown_as_far_as_it_goes(tmp_path: Path, choose: some.DataObject) -> None:
    data = bytearray(WHOLE)
    for _ in range(choose.draw(some.integers(1, 6))):
        data[choose.draw(some.integers(0, len(data) - 1))] ^= 1 << choose.draw(some.integers(0, 7))
    path = tmp_path / "damaged"
    path.write_bytes(data)
    try:
        recording = read(path)
    except UsageError:
        return  # its beginning is gone
    reading = Reading((str(path),))
    made = Transcript(reading.connections)
    shown = [*heading(recording), *shortcomings(recording)]
    for entry in reading.entries():
        shown += made.lines(entry)
        json.loads(entry_line(entry, reading.connections))
    assert all(line.isprintable() for line in shown)
