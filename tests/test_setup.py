"""What the package says of itself: its version, that it needs nothing, its command, its licence."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import tomllib

import pytest

import wirecat
from peers import PROJECT

with (PROJECT / "pyproject.toml").open("rb") as file:
    PYPROJECT = tomllib.load(file)


def test_the_base_needs_nothing() -> None:
    assert PYPROJECT["project"]["dependencies"] == []


def test_the_version_is_written_once() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", wirecat.__version__)
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert (PROJECT / PYPROJECT["tool"]["hatch"]["version"]["path"]).samefile(
        str(importlib.import_module("wirecat._version").__file__)
    )


def test_what_is_installed_is_this_version() -> None:
    try:
        installed = importlib.metadata.version("wirecat")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("wirecat runs from its source here and is not installed")
    assert installed == wirecat.__version__


def test_the_command_is_there() -> None:
    module, _, function = PYPROJECT["project"]["scripts"]["wirecat"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_it_is_typed_and_licensed() -> None:
    assert (PROJECT / "src" / "wirecat" / "py.typed").exists()
    assert "the wirecat authors" in (PROJECT / "LICENSE").read_text()
    assert PYPROJECT["project"]["license"] == "MIT"
