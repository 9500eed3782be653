"""The program of a process: this one's, and those that cannot be seen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wirecat.system.program_path import program_path


@pytest.mark.skipif(sys.platform == "darwin", reason="a framework's Python runs another file than it was started by")
def test_own_program_is_this_python() -> None:
    path = program_path(os.getpid())
    assert path is not None
    assert Path(path).samefile(sys.executable)


def test_program_of_no_process_is_unknown() -> None:
    assert program_path(2**22 + 1) is None
