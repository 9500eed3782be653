"""The command as it is started: ``python -m wirecat``, and Ctrl-C before it has even begun."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from peers import Program, environment, wirecat, wirecat_command
from plain_peers import refusing
from wirecat.__main__ import _has_an_end, called_as
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


COMMAND = "import sys\nfrom wirecat.__main__ import command\ncode = command()\nprint('went on', code, flush=True)\n"


@pytest.mark.parametrize("words", [("--version",), ("no-such-verb",), ("ncat", "-z", "127.0.0.1")])
def test_at_the_end_of_the_command_nothing_is_taken_apart(words: tuple[str, ...]) -> None:
    """What it said is all there, and so is its exit code; only the rest of the script is not run any more."""
    codes = []
    for variables in (environment(PYTHONWARNINGS=None), environment()):
        with refusing() as port, Program([sys.executable, "-c", COMMAND, *words, str(port)], env=variables) as program:
            codes.append((program.wait(), program.stdout.decode(), program.stderr.decode().replace(str(port), "PORT")))
    (code, out, said), (watched_code, watched_out, watched_said) = codes
    assert watched_code == 0 and watched_out.endswith(f"went on {code}\n")
    assert (out, said) == (watched_out.removesuffix(f"went on {code}\n"), watched_said)
    assert "went on" not in out


@pytest.mark.parametrize(
    "setup",
    [
        "import threading",
        "import atexit",
        "import tempfile",
        "sys.setprofile(lambda *_: None)",
        "sys.settrace(lambda *_: None)",
    ],
)
def test_whoever_has_something_to_do_at_the_end_does_it(setup: str) -> None:
    with Program(
        [sys.executable, "-c", f"import sys; {setup}\n{COMMAND}", "--version"], env=environment(PYTHONWARNINGS=None)
    ) as it:
        assert it.wait() == 0
        assert it.stdout.endswith(b"went on 0\n")


def test_a_test_has_something_to_do_at_the_end() -> None:
    assert _has_an_end()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is of Linux")
def test_output_that_has_no_room_is_told_as_ever() -> None:
    with open("/dev/full", "wb") as full:
        with Program(wirecat_command("--help"), env=environment(PYTHONWARNINGS=None), stdout=full) as program:
            assert program.wait() == 1
            assert program.stderr.startswith(b"wirecat: ") and program.stderr.count(b"\n") == 1
