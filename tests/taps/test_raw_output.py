"""Tests of the tap that writes down what goes by."""

from __future__ import annotations

from pathlib import Path

from wirecat.taps.output_file import OutputFile
from wirecat.taps.raw_output import RawOutputTap
from wirecat.taps.tap import RECEIVED, SENT


def test_both_directions_as_they_are(tmp_path: Path) -> None:
    with OutputFile(str(tmp_path / "x")) as file:
        tap = RawOutputTap(file)
        assert not tap.alters
        tap.chunk(1, SENT, b"\xff out", 0.0)
        tap.chunk(1, RECEIVED, b"in\r\n", 0.0)
    assert (tmp_path / "x").read_bytes() == b"\xff outin\r\n"
