"""Draws the pictures in docs/report.md from real talks: a sequence diagram, and the time line of a crowd.

PYTHONPATH=src python3 tools/report_pictures.py docs
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import wirecat
from wirecat.recording.recorder import Recorder
from wirecat.recording.tap import RecordingTap

HANDLER = "reply:You told me: {data}"


def talk(path: Path) -> None:
    """One client says three things; the server is recorded."""
    with Recorder(path, verb="serve") as recorder, wirecat.serve(HANDLER, "127.0.0.1:0") as server:
        server.attach(RecordingTap(recorder, kind="server", handler=HANDLER, served=True))
        with wirecat.connect(server.address) as client:
            for text in ("Hallo", "Grüße an alle", "quit"):
                data = text.encode()
                client.send(data)
                client.receive_exactly(len(b"You told me: " + data))


def crowd(path: Path) -> None:
    """Thirty clients at once."""
    with Recorder(path, verb="serve") as recorder, wirecat.serve(HANDLER, "127.0.0.1:0") as server:
        server.attach(RecordingTap(recorder, kind="server", handler=HANDLER, served=True))
        wirecat.swarm(server.address, 30, messages=5, newline="none", expect="You told me: {data}")


def main() -> None:
    target = Path(sys.argv[1])
    with TemporaryDirectory() as folder:
        for picture, act in (("sequence", talk), ("timeline", crowd)):
            recording = Path(folder, f"{picture}.pcapng")
            act(recording)
            drawn = wirecat.report(recording, format="svg", picture=picture, utc=True)
            (target / f"report-{picture}.svg").write_bytes(drawn)


if __name__ == "__main__":
    main()
