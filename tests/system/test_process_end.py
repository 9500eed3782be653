"""How a process ended, in words."""

from __future__ import annotations

import sys

import pytest

from wirecat.system.process_end import process_end


@pytest.mark.parametrize("code", [0, 1, 255, 3221225786])
def test_an_exit_code(code: int) -> None:
    assert process_end(code) == f"ended with exit code {code}"


@pytest.mark.skipif(sys.platform == "win32", reason="a process there is killed by no signal")
def test_a_signal() -> None:
    assert process_end(-15) == "was killed by signal 15 (SIGTERM)"


def test_a_signal_without_a_name() -> None:
    assert process_end(-199) == "was killed by signal 199"
