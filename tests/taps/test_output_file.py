"""Tests of the file that taps write into, and of the taps that do."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from wirecat.errors import UsageError
from wirecat.taps.output_file import OutputFile


def test_what_was_there_is_gone_unless_appended(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with OutputFile(str(path)) as file:
        file.write(b"one")
        assert path.read_bytes() == b"one"  # at once
    with OutputFile(str(path), append=True) as file:
        file.write(b"two")
    assert path.read_bytes() == b"onetwo"


def test_chunks_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with OutputFile(str(path)) as file:
        threads = [
            threading.Thread(target=lambda text=text: [file.write(text) for _ in range(50)])
            for text in (b"a" * 99, b"b" * 99)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    data = path.read_bytes()
    assert len(data) == 2 * 50 * 99
    assert all(len(set(data[start : start + 99])) == 1 for start in range(0, len(data), 99))


def test_what_comes_after_the_end_is_not_written(tmp_path: Path) -> None:
    file = OutputFile(str(tmp_path / "x"))
    file.close()
    file.close()
    file.write(b"late")
    assert (tmp_path / "x").read_bytes() == b""


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        OutputFile(str(tmp_path / "nowhere" / "x"))
    assert raised.value.message == "No such file or directory"
