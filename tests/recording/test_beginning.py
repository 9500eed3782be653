"""What files begin with, and what they are called."""

from __future__ import annotations

from wirecat.recording.beginning import beginning, comment_on, part_path
from wirecat.recording.frames import decode_frame
from wirecat.wire.capture import CaptureParser
from wirecat.wire.capture_items import Custom, Section


def test_a_file_says_who_recorded_it() -> None:
    found = list(CaptureParser().feed(b"".join(beginning(5, uid="u", part=2, verb="serve"))))
    section, custom = found
    assert isinstance(section, Section)
    assert section.program.startswith("wirecat ")
    assert isinstance(custom, Custom)
    fields = decode_frame(custom.data)
    assert fields is not None
    assert (fields["frame"], fields["uid"], fields["part"], fields["verb"]) == ("recording", "u", 2, "serve")


def test_names_of_parts() -> None:
    assert part_path("a.b/talk.pcapng", 1) == "a.b/talk.pcapng"
    assert part_path("a.b/talk.pcapng", 3) == "a.b/talk.3.pcapng"
    assert part_path("talk", 2) == "talk.2"


def test_comments() -> None:
    fields = {"id": 7, "recorded_by": "server", "protocol": "tls", "handler": "echo", "joined": True}
    assert comment_on(fields) == (
        "connection 7, recorded by the server; handler echo; the bytes are those inside TLS; "
        "it was open before the recording began"
    )
