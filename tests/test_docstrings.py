"""The examples in docstrings are true: each `>>>` in the source gives what it says."""

from __future__ import annotations

import doctest
import importlib
import sys

import pytest

from architecture.source_tree import modules


def modules_with_examples() -> list[str]:
    return [name for name, path in modules().items() if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_in_docstrings_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name.rpartition(".")[2].startswith("windows") and sys.platform != "win32":
        pytest.skip("needs Windows")
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.attempted, "its examples were not found: is the docstring of something nested?"
    assert result.failed == 0, capsys.readouterr().out
