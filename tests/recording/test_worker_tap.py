"""The recording of one of several processes."""

from __future__ import annotations

from pathlib import Path

from wirecat.recording.reader import read
from wirecat.recording.worker_tap import NAME, worker_path
from wirecat.taps.named import NamedTap, make_named


def test_each_has_a_file_of_its_own(tmp_path: Path) -> None:
    options = {"verb": "serve", "strict": False, "durable": False, "limit": None, "rotate": None, "kind": "server"}
    named = NamedTap(NAME, path=str(tmp_path / "talk.pcapng"), **options)
    for worker, life in ((1, 1), (2, 1), (1, 2)):
        make_named(named.task(worker, life)).close()
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["talk.worker1-2.pcapng", "talk.worker1.pcapng", "talk.worker2.pcapng"]
    assert read(*files).complete
    assert worker_path("a", 3) == "a.worker3"
