"""What makes the developer's environment: one that fits is left alone, any other is made again."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from peers import PROJECT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the Makefile is for systems with a Unix shell")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module of its own, whose environment lies in a temporary folder."""
    spec = importlib.util.spec_from_file_location("environment", PROJECT / "tools" / "environment.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path / ".venv"
    monkeypatch.setattr(module, "FOLDER", folder)
    monkeypatch.setattr(module, "PYTHON", folder / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", folder / "made-from.json")
    monkeypatch.setattr(module, "PROBE", "pass")
    return module


def put_python(environment: ModuleType) -> None:
    environment.PYTHON.parent.mkdir(parents=True)
    environment.PYTHON.symlink_to(sys.executable)


def failing(environment: ModuleType, why: str) -> object:
    def way() -> None:
        raise environment.StepFailed(why)

    return way


def test_it_is_made_once(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def way() -> None:
        made.append(1)
        put_python(environment)

    monkeypatch.setattr(environment, "WAYS", [("a way", way)])
    assert not environment.fits()
    assert environment.main() == 0
    assert environment.fits()
    assert environment.main() == 0
    assert len(made) == 1


@pytest.mark.parametrize(
    "damage", ["another python", "another place", "no python", "no stamp", "broken stamp", "a file"]
)
def test_one_that_does_not_fit_is_made_again(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(environment, "WAYS", [("a way", lambda: put_python(environment))])
    assert environment.main() == 0
    stamp = json.loads(environment.STAMP.read_text())
    match damage:
        case "another python":
            environment.STAMP.write_text(json.dumps(stamp | {"version": "3.10.0"}))
        case "another place":
            environment.STAMP.write_text(json.dumps(stamp | {"folder": "elsewhere"}))
        case "no python":
            environment.PYTHON.unlink()
            environment.PYTHON.symlink_to("gone")
        case "no stamp":
            environment.STAMP.unlink()
        case "broken stamp":
            environment.STAMP.write_text("{")
        case "a file":
            environment.remove()
            environment.FOLDER.write_text("")
    assert not environment.fits()
    assert environment.main() == 0
    assert environment.fits()


def test_what_does_not_run_does_not_fit(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "WAYS", [("a way", lambda: put_python(environment))])
    assert environment.main() == 0
    monkeypatch.setattr(environment, "PROBE", "import nothing_of_that_name")
    assert not environment.fits()


def test_the_ways_are_tried_in_turn_and_leave_nothing_behind(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half() -> None:
        put_python(environment)
        raise environment.StepFailed("half way")

    monkeypatch.setattr(environment, "WAYS", [("half", half), ("whole", lambda: put_python(environment))])
    assert environment.main() == 0


def test_when_nothing_works_all_that_was_tried_is_told(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ways = [("first", failing(environment, "no venv here")), ("second", failing(environment, "no pip here"))]
    monkeypatch.setattr(environment, "WAYS", ways)
    assert environment.main() == 1
    said = capsys.readouterr().err
    for expected in ("first: no venv here", "second: no pip here", "apt install python3-venv", "make demo"):
        assert expected in said
    assert not environment.FOLDER.exists()


def test_packages_that_can_not_be_had_end_the_search(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable() -> None:
        put_python(environment)
        environment.install(sys.executable, "-c", "raise SystemExit('no index')")

    ways = [("first", unreachable), ("second", failing(environment, "never tried"))]
    monkeypatch.setattr(environment, "WAYS", ways)
    assert environment.main() == 1
    said = capsys.readouterr().err
    assert "no index" in said
    assert "never tried" not in said
    assert not environment.FOLDER.exists()


def test_a_step_that_fails_says_how(environment: ModuleType) -> None:
    with pytest.raises(environment.StepFailed, match=r"exit 3\nthe reason"):
        environment.run(sys.executable, "-c", "print('the reason'); raise SystemExit(3)")
    with pytest.raises(environment.StepFailed, match="No such file"):
        environment.run("/nowhere/at/all")


def test_the_requirements_are_those_of_the_extras(environment: ModuleType) -> None:
    requirements = environment.requirements()
    for tool in ("pytest", "mypy", "ruff", "uvloop", "psutil"):
        assert any(each.startswith(tool) for each in requirements)
