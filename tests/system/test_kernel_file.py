"""Files that the kernel makes up as they are read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wirecat.system.kernel_file import read_kernel_file


def test_a_file_of_the_kernel_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    assert read_kernel_file(str(tmp_path / "file")) == b"x" * 100_000
    with pytest.raises(FileNotFoundError):
        read_kernel_file(str(tmp_path / "none"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has /proc")
def test_a_file_whose_size_reads_zero() -> None:
    assert read_kernel_file("/proc/self/stat").split()[0] == str(os.getpid()).encode()
