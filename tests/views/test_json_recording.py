"""A recording as JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from recording.made import LARGE, Maker
from wirecat.recording.reader import Reading
from wirecat.recording.snapshot import row_fields
from wirecat.system.socket_row import SocketRow
from wirecat.views.json_recording import entry_line


def test_each_entry_is_a_line(tmp_path: Path) -> None:
    maker = Maker()
    maker.talk(1, handler="echo")
    maker.frame("sockets", rows=row_fields([SocketRow("tcp", "ipv4", "127.0.0.1", 80, state="LISTEN")]))
    maker.frame("note", text="a note")
    reading = Reading((str(maker.write(tmp_path / "x")),))
    found = [json.loads(entry_line(entry, reading.connections)) for entry in reading.entries()]
    assert [each["event"] for each in found] == [
        "opened", "chunk", "chunk", "chunk", "end", "end", "closed", "sockets", "note",
    ]  # fmt: skip
    opened, hello, large, *_, closed, sockets, note = found
    assert opened["time"] == "2023-11-14T22:13:20.123456Z"
    assert opened["client"] == {"host": "127.0.0.1", "port": 50001}
    assert (hello["from"], hello["text"], hello["size"]) == ("client", "hello\n", 6)
    assert base64.b64decode(large["base64"]) == LARGE
    assert (closed["by"], closed["from_server"], closed["seconds"]) == ("client", len(LARGE), 4e-06)
    assert sockets["sockets"][0]["local"] == {"host": "127.0.0.1", "port": 80}
    assert note["text"] == "a note"
