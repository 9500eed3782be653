"""The command as it is started: ``python -m wirecat``, and Ctrl-C before it has even begun."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from peers import Program, wirecat
from plain_peers import refusing
from wirecat.__main__ import called_as
from wirecat._version import __version__


def test_python_m() -> None:
    with wirecat("--version") as program:
        assert program.wait() == 0
        assert program.stdout.decode().rstrip("\r\n") == f"wirecat {__version__}"


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot press Ctrl-C for itself there")
@pytest.mark.parametrize("module", ["wirecat.cli.main", "wirecat.cli.connect", "socket", "wirecat.endpoints.race"])
def test_ctrl_c_while_it_starts(module: str) -> None:
    """The signal arrives while a module is imported: a traceback would be the answer to impatience."""
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Impatient:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "from wirecat.__main__ import main\n"
        "sys.exit(main())\n"
    )
    with refusing() as port, Program([sys.executable, "-c", code, "connect", str(port)]) as client:
        assert client.wait() == 130
        assert client.stderr == b""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/local/bin/ncat", "ncat"),
        ("ncat", "ncat"),
        ("C:\\Tools\\ncat.exe", "ncat"),
        ("NCAT.EXE", "NCAT"),
        ("./ncat.pyz", "ncat"),
        ("/x/wirecat/__main__.py", "__main__.py"),
        ("-c", "-c"),
        ("", ""),
    ],
)
def test_the_name_it_is_called_under(path: str, name: str) -> None:
    assert called_as(path) == name


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line that names its program")
@pytest.mark.parametrize("link", [False, True])
def test_under_the_name_of_ncat_it_is_ncat(link: bool, tmp_path: Path) -> None:
    launcher = tmp_path / ("wirecat" if link else "ncat")
    launcher.write_text(f"#!{sys.executable}\nimport sys\nfrom wirecat.__main__ import main\nsys.exit(main())\n")
    launcher.chmod(0o755)
    if link:
        (tmp_path / "ncat").symlink_to(launcher)
    with Program([tmp_path / "ncat", "--version"]) as program:
        assert program.wait() == 0
        assert program.stderr.startswith(b"Ncat: Version 7.99 (wirecat ")
        assert program.stdout == b""
