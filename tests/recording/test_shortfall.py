"""What is said at the end of a recording that does not hold everything."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from wirecat.recording import sink
from wirecat.recording.recorder import Recorder
from wirecat.recording.shortfall import shortfall


def test_shortfall_nothing_lost_is_empty(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r")
    recorder.close()
    assert shortfall(recorder) == ""


def test_shortfall_file_that_could_not_be_begun_is_told_and_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(pieces: object, descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sink, "_write", full)
    recorder = Recorder(tmp_path / "r")
    recorder.close()
    assert shortfall(recorder) == f"{tmp_path / 'r'}: No space left on device; not all is recorded"
    assert not (tmp_path / "r").exists()
