"""Compressed files, unpacked as they come."""

from __future__ import annotations

import gzip
import random
import sys

import pytest

from wirecat.wire.compression import CompressionUnsupported, Unpacker

DATA = random.Random(1).randbytes(100_000)
PACKED = gzip.compress(DATA)


def unpacked(data: bytes, step: int) -> tuple[bytes, str]:
    unpacker = Unpacker()
    found = b"".join(unpacker.feed(data[start : start + step]) for start in range(0, len(data), step))
    held, problem = unpacker.finish()
    return found + held, problem


@pytest.mark.parametrize("step", [1, 1000, 1 << 20])
def test_gzip_is_unpacked_and_other_data_stay(step: int) -> None:
    assert unpacked(PACKED, step) == (DATA, "")
    assert unpacked(PACKED + gzip.compress(b"more") + bytes(512), step) == (DATA + b"more", "")
    assert unpacked(DATA, step) == (DATA, "")


@pytest.mark.parametrize("data", [b"", b"x", b"\x1f"])
def test_file_too_short_to_be_recognised_stays(data: bytes) -> None:
    assert unpacked(data, 1) == (data, "")


def test_torn_gzip_gives_what_is_there() -> None:
    found, problem = unpacked(PACKED[:50_000], 1000)
    assert DATA.startswith(found)
    assert len(found) > 40_000
    assert problem == "the compressed data end too early"


def test_damaged_gzip_is_an_error() -> None:
    with pytest.raises(ValueError, match="the compressed data are damaged"):
        unpacked(PACKED[:5000] + bytes(1000) + PACKED[6000:], 1 << 20)


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python can unpack zstd")
def test_zstd_before_python_3_14_names_a_program_that_can() -> None:
    with pytest.raises(CompressionUnsupported, match="zstd") as caught:
        unpacked(b"\x28\xb5\x2f\xfd" + bytes(100), 10)
    assert caught.value.program == "zstd -dc"
