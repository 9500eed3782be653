"""The zip application: one file that does what the installed command does."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from peers import PROJECT, Program, environment
from server.clients import ask, connect
from wirecat._version import __version__

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its first lines are for a Unix shell")


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, by the tool, in a folder where a user may have it."""
    path = tmp_path_factory.mktemp("application") / "wirecat.pyz"
    tool = PROJECT / "tools" / "zip_application.py"
    made = subprocess.run([sys.executable, tool, path], capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(f"{path}: ")
    return path


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """An environment in which this Python is python3, and wirecat is nowhere else."""
    (tmp_path / "python3").symlink_to(sys.executable)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PATH", os.defpath)])
    return environment(PYTHONPATH=None, PATH=path)


@pytest.mark.parametrize("by_python", [False, True])
def test_which_version_it_is(application: Path, variables: dict[str, str], by_python: bool) -> None:
    words = [sys.executable, application] if by_python else [application]
    with Program([*words, "--version"], env=variables, cwd="/") as program:
        assert program.wait() == 0, program.stderr
        assert program.stdout.decode() == f"wirecat {__version__}\n"


def test_the_tour(application: Path, variables: dict[str, str]) -> None:
    with Program([application, "tour", "--no-report"], env=variables) as program:
        assert program.wait() == 0, program.stderr


@pytest.mark.parametrize("link", [False, True])
def test_it_is_ncat(application: Path, variables: dict[str, str], tmp_path: Path, link: bool) -> None:
    """As a verb, and by that name."""
    (tmp_path / "ncat").symlink_to(application)
    words = [tmp_path / "ncat"] if link else [application, "ncat"]
    with Program([*words, "--version"], env=variables) as program:
        assert program.wait() == 0
        assert program.stderr.startswith(b"Ncat: Version 7.99 (wirecat ")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers share a port")
def test_its_worker_processes_find_it(application: Path, variables: dict[str, str], tmp_path: Path) -> None:
    words = [os.path.relpath(application, tmp_path), "serve", "echo", "127.0.0.1:0", "--workers", "1"]
    with Program(words, env=variables, cwd=tmp_path) as server:
        port = int(server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1])
        with connect(port) as client:
            assert ask(client, b"x") == b"x"


def test_everything_is_compiled_and_there_as_source(application: Path) -> None:
    with zipfile.ZipFile(application) as archive:
        names = set(archive.namelist())
        stored = {each.filename for each in archive.infolist() if each.compress_type == zipfile.ZIP_STORED}
    sources = {name for name in names if name.endswith(".py")}
    files = {path.relative_to(PROJECT / "src").as_posix() for path in (PROJECT / "src").rglob("*.py")}
    assert sources == files | {"__main__.py"}
    assert stored == {f"{name}c" for name in sources}
    assert names - sources - stored == {"LICENSE", "wirecat/py.typed"}


def test_what_is_compiled_is_what_runs(application: Path, variables: dict[str, str]) -> None:
    code = (
        f"import sys; sys.path[0] = {str(application)!r}; import wirecat.cli.main as m; print(m.__cached__, m.__file__)"
    )
    with Program([sys.executable, "-c", code], env=variables) as program:
        assert program.wait() == 0
        assert program.stdout.decode().split()[-1] == f"{application}/wirecat/cli/main.pyc"


def test_another_python_runs_the_source(application: Path, variables: dict[str, str], tmp_path: Path) -> None:
    """What is compiled has another version's mark then."""
    other = tmp_path / "other.pyz"
    with zipfile.ZipFile(application) as archive, zipfile.ZipFile(other, "w") as changed:
        for name in archive.namelist():
            data = archive.read(name)
            changed.writestr(name, b"other" + data[5:] if name.endswith("c") else data)
    with Program([sys.executable, other, "--version"], env=variables) as program:
        assert program.wait() == 0, program.stderr
        assert program.stdout.decode() == f"wirecat {__version__}\n"


def test_it_is_the_same_each_time(application: Path, tmp_path: Path) -> None:
    again = tmp_path / "deep" / "er" / "again.pyz"
    subprocess.run([sys.executable, PROJECT / "tools" / "zip_application.py", again], check=True, timeout=60)
    assert again.read_bytes() == application.read_bytes()


def test_a_python_that_is_too_old_is_told(application: Path, tmp_path: Path) -> None:
    """By a stand-in that knows only how to say what it would run."""
    stub = tmp_path / "python3"
    stub.write_text(f"#!{sys.executable}\nimport sys\nsys.version_info = (3, 9, 1)\nexec(sys.argv[2])\n")
    stub.chmod(0o755)
    variables = environment(PATH=os.pathsep.join([str(tmp_path), os.environ.get("PATH", os.defpath)]))
    with Program([application, "--version"], env=variables) as program:
        assert program.wait() == 1
        assert program.stderr == b"wirecat needs Python 3.11 or newer; python3 is 3.9\n"
