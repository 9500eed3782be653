"""The script that finds a Python for the Makefile: the first that is new enough, or a clear message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from peers import PROJECT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the Makefile is for systems with a Unix shell")


def stub(folder: Path, name: str, version: str | None) -> Path:
    """A program that answers as a Python of that version; None is a launcher with no Python behind it."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    if version is None:
        path.write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
    else:
        fits = [int(part) for part in version.split(".")] >= [3, 11]
        path.write_text(f"#!/bin/sh\necho {version}\nexit {0 if fits else 1}\n")
    path.chmod(0o755)
    return path


def find(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", PROJECT / "tools" / "find_python.sh", *arguments],
        env={"PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_plain_python3_comes_first(tmp_path: Path) -> None:
    python3 = stub(tmp_path, "python3", "3.11.2")
    stub(tmp_path, "python3.14", "3.14.0")
    found = find(tmp_path)
    assert (found.returncode, found.stdout, found.stderr) == (0, f"{python3}\n", "")


def test_an_old_python3_and_empty_launchers_are_passed_over(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "3.9.2")
    stub(tmp_path, "python3.13", None)
    newer = stub(tmp_path, "python3.12", "3.12.1")
    assert find(tmp_path).stdout == f"{newer}\n"


def test_only_old_ones_are_named(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "3.9.2")
    found = find(tmp_path)
    assert found.returncode == 1
    assert found.stdout == ""
    assert "needs Python 3.11 or newer; here python3 is 3.9.2" in found.stderr
    assert "PYTHON=" in found.stderr


def test_none_at_all(tmp_path: Path) -> None:
    found = find(tmp_path)
    assert found.returncode == 1
    assert "none of these runs here: python3 " in found.stderr


def test_one_that_is_named_is_the_only_one_tried(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "3.12.0")
    named = stub(tmp_path / "a folder", "python", "3.13.0")
    assert find(tmp_path, str(named)).stdout == f"{named}\n"
    old = stub(tmp_path / "a folder", "old", "3.8.1")
    assert f"{old} is 3.8.1" in find(tmp_path, str(old)).stderr
    assert find(tmp_path, "nonesuch").returncode == 1
    assert find(tmp_path, "").returncode == 0


def test_the_real_one_runs() -> None:
    found = find(Path(sys.executable).parent, sys.executable)
    assert found.stdout == f"{sys.executable}\n"
