"""The pages that are read off the table of options are up to date, and tell of each option."""

from __future__ import annotations

import subprocess
import sys

from peers import PROJECT, SOURCE
from wirecat.cli.ncat.options import OPTIONS


def test_they_are_up_to_date() -> None:
    tool = [sys.executable, str(PROJECT / "tools" / "ncat_pages.py"), "--check"]
    ended = subprocess.run(tool, capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(SOURCE)})
    assert (ended.returncode, ended.stderr) == (0, "")


def test_each_option_is_there() -> None:
    page = (PROJECT / "docs" / "ncat.md").read_text(encoding="utf-8")
    manual = (PROJECT / "docs" / "ncat.1").read_text(encoding="utf-8")
    for option in OPTIONS:
        for name in [f"-{option.short}"] * bool(option.short) + [f"--{option.long}"] * bool(option.long):
            assert name in page
            assert name.replace("-", "\\-") in manual
