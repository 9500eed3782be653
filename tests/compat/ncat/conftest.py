"""The program under test, for each row of the conformance tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.ncat.harness import Ncat, opened


@pytest.fixture
def ncat(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ncat]:
    """wirecat as ncat, or Debian's ncat; see ``both`` and ``ours`` in the harness."""
    with opened(request.param, tmp_path) as program:
        yield program
