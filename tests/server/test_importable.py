"""Handlers that a worker can import, and those that it cannot."""

from __future__ import annotations

import os
import types
from typing import Any

import pytest

from server.worker_handlers import Who, awho, who
from wirecat.errors import HandlerError
from wirecat.server.handlers import BUILT_IN
from wirecat.server.importable import importable_name


@pytest.mark.parametrize("handler", [who, awho, Who])
def test_what_a_module_holds_is_found_by_its_name(handler: Any) -> None:
    assert importable_name(handler) == f"server.worker_handlers:{handler.__name__}"


@pytest.mark.parametrize("spec", ["echo", "reply:You told me: {data}", "module:function", "a.b:c.d", "proxy"])
def test_a_name_stays(spec: str) -> None:
    assert importable_name(spec) == spec


def test_a_file_is_found_from_another_directory() -> None:
    assert importable_name("shout.py:shout") == f"{os.getcwd()}{os.sep}shout.py:shout"


@pytest.mark.parametrize("spec", ["chat", "broker", "proxy:anna:secret"])
def test_whose_clients_share_something_needs_one_process(spec: str) -> None:
    with pytest.raises(
        HandlerError, match="share what they .*, which needs one process. Leave --workers out"
    ) as caught:
        importable_name(spec)
    assert "secret" not in str(caught.value)


def test_no_other_built_in_handler_shares() -> None:
    assert {row.name for row in BUILT_IN.values() if row.shared} == {"chat", "broker", "proxy"}


def test_what_has_no_name_outside() -> None:
    def local(connection: object) -> None: ...

    for handler in (local, lambda connection: None, types.SimpleNamespace(), who.__call__):  # type: ignore[operator]
        with pytest.raises(HandlerError, match="cannot be imported"):
            importable_name(handler)  # type: ignore[arg-type]


def test_a_function_of_the_program_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(who, "__module__", "__main__")
    with pytest.raises(HandlerError, match="'who' is in the program itself"):
        importable_name(who)
