"""Tests of the tap that writes down what goes by, in hex."""

from __future__ import annotations

from pathlib import Path

from wirecat.taps.hexdump import HexdumpTap
from wirecat.taps.output_file import OutputFile
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire.hexdump import hexdump


def test_each_chunk_is_a_dump_of_its_own(tmp_path: Path) -> None:
    with OutputFile(str(tmp_path / "x")) as file:
        tap = HexdumpTap(file)
        assert not tap.alters
        tap.chunk(1, SENT, b"out", 0.0)
        tap.chunk(1, RECEIVED, b"in", 0.0)
    assert (tmp_path / "x").read_bytes() == hexdump(b"out") + hexdump(b"in")
