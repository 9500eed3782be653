"""The journal of an exposure: what may stand is written down first, and forgotten once it is gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wirecat.port_mapping.journal import Journal
from wirecat.port_mapping.mapping import PCP
from wirecat.port_mapping.records import read_records
from wirecat.reach.granting import new_mapping


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_mapping_is_remembered_until_it_is_dropped() -> None:
    journal = Journal()
    try:
        mapping = new_mapping(PCP, "192.168.77.1", "192.168.77.20", 12345)
        assert (mapping.pid, bool(mapping.token)) == (os.getpid(), True)
        journal.keep(mapping)
        journal.keep(mapping.replace(external_port=23456))
        assert read_records() == [mapping.replace(external_port=23456)]
        assert journal.last(mapping) == read_records()[0]
        journal.drop(mapping)
        assert (read_records(), journal.last(mapping)) == ([], None)
        journal.note("once")
        journal.note("once")
        assert journal.notes == ["once"]
    finally:
        journal.close()


def test_record_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    journal = Journal()
    try:
        mapping = new_mapping(PCP, "192.168.77.1", "192.168.77.20", 12345)
        journal.keep(mapping)
        assert "cannot be written" in journal.notes[0]
        journal.drop(mapping)
    finally:
        journal.close()
