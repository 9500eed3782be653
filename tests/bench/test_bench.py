"""The benchmarks run: every one of them, shortly. What they measure here says nothing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from peers import PROJECT, Program, environment

NAMES = ("bulk", "relay", "echo", "connects", "memory", "swarm", "worker_loss", "startup", "start_race", "sockets")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the benchmarks read /proc")
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_quick_run_of_all(tmp_path: Path) -> None:
    variables = environment(PYTHONWARNINGS=None)
    command = [sys.executable, "-m", "bench", "--quick", "--output", tmp_path]
    with Program(command, env=variables, cwd=PROJECT) as program:
        assert program.wait(150) == 0
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert "failed" not in page, program.describe()
    for name in NAMES:
        found = json.loads((tmp_path / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))
        rows = [row for group in found["groups"] for row in group["rows"]]
        # Nothing is left out in silence.
        assert rows and all(row["values"] or row["why"] for row in rows), name
        assert (tmp_path / "benchmarks" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
        assert f"benchmarks/{name}.svg" in page
    if os.environ.get("WIRECAT_REQUIRE_PEERS") == "1":
        assert "is not installed" not in page
