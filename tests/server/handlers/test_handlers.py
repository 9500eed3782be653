"""The table of built-in handlers: each row is true."""

from __future__ import annotations

import importlib
import shlex

import pytest

from wirecat.server.handler import load_handler
from wirecat.server.handlers import BUILT_IN, FUNCTION, RESPONDER, HandlerRow


@pytest.mark.parametrize("row", BUILT_IN.values(), ids=lambda row: row.name)
def test_each_row_is_true(row: HandlerRow) -> None:
    module = importlib.import_module(row.module)
    assert callable(module.make)
    assert row.colour in (RESPONDER, FUNCTION)
    assert BUILT_IN[row.name] is row
    assert row.help and not row.help.endswith(".") and row.help[0].islower()
    (spec,) = shlex.split(row.example)  # as a shell reads it
    assert load_handler(spec).colour == row.colour
