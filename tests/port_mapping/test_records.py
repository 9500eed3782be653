"""Records of mappings: written, read, removed, and what is no record."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from other_users import THEM, needs_root, owned
from wirecat.errors import UsageError
from wirecat.port_mapping.mapping import NATPMP, Mapping
from wirecat.port_mapping.records import folder, is_alive, is_kept, read_records, remove_record, write_record

MADE = Mapping(NATPMP, "192.168.77.1", "192.168.77.20", 12345, external_port=12345, pid=os.getpid())


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@needs_root
def test_write_record_place_of_another_user_is_refused(tmp_path: Path) -> None:
    """The state may be kept in a directory like /tmp, where another user has made the folder."""
    (tmp_path / "theirs").mkdir()
    folder().parent.mkdir()
    folder().symlink_to(tmp_path / "theirs")
    owned(folder(), THEM)
    owned(folder().parent, THEM)
    with pytest.raises(UsageError, match="is a link of another user"):
        write_record(MADE)
    assert list((tmp_path / "theirs").iterdir()) == []


def test_there_and_back() -> None:
    assert read_records() == []
    write_record(MADE)
    write_record(MADE.replace(external_port=12346))
    assert read_records() == [MADE.replace(external_port=12346)]
    remove_record(MADE)
    remove_record(MADE)
    assert read_records() == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bits")
def test_it_is_for_its_owner_only() -> None:
    write_record(MADE)
    (path,) = folder().iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"protocol": 1}', "x" * 10_000])
def test_what_is_no_record_is_passed_over(text: str) -> None:
    write_record(MADE)
    (folder() / "a.json").write_text(text)
    assert read_records() == [MADE]


def test_kept_and_alive() -> None:
    assert is_kept(MADE)
    assert is_kept(MADE.replace(expires=time.time() + 60))
    assert not is_kept(MADE.replace(expires=time.time() - 1))
    assert is_alive(MADE)
    assert not is_alive(MADE.replace(pid=0))
