"""The names of Windows' processes."""

from __future__ import annotations

import os
import sys

import pytest

from wirecat.system.windows_processes import windows_process_names


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has names")
def test_elsewhere_there_are_none() -> None:
    assert windows_process_names() == {}


@pytest.mark.skipif(sys.platform != "win32", reason="needs Windows")
def test_this_process_has_its_name() -> None:
    assert windows_process_names()[os.getpid()].lower().startswith("py")
