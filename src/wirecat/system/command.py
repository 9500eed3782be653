"""Run another program of this machine for what it prints: bounded in time, found where administrators' programs lie."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from wirecat.immutable import Immutable
from wirecat.system.child_environment import child_environment

# Programs for the administrator lie where the path of an ordinary user may not lead.
_MORE_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")

NOT_FOUND, TOO_SLOW = 127, 124
"""Codes that no program gave: the shell's for one that is not there, timeout(1)'s for one that took too long."""


class CommandResult(Immutable):
    """How a program ended: its exit ``code`` (see NOT_FOUND, TOO_SLOW) and what it wrote."""

    __slots__ = ("code", "stdout", "stderr")

    code: int
    stdout: str
    stderr: str

    def __init__(self, code: int, stdout: str = "", stderr: str = "") -> None:
        self._set(code=code, stdout=stdout, stderr=stderr)


def find_program(name: str) -> str | None:
    """Where a program lies, or None."""
    folders = os.environ.get("PATH", os.defpath)
    if os.name == "posix":
        folders = os.pathsep.join((folders, *_MORE_FOLDERS))
    return shutil.which(name, path=folders)


def module_command(module: str) -> tuple[list[str], dict[str, str]]:
    """The words and the environment that run a module of this package with this Python; from a zipapp too."""
    paths = [str(Path(__file__).resolve().parents[2]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = child_environment({"PYTHONPATH": os.pathsep.join(path for path in paths if path)})
    return [sys.executable, "-m", module], environment


def run_command(words: list[str], seconds: float = 3.0) -> CommandResult:
    """Run a program to its end, with no input and in the C locale. It is ended after ``seconds``. Never raises OSError."""
    program = find_program(words[0])
    if program is None:
        return CommandResult(NOT_FOUND, stderr=f"{words[0]} is not installed")
    try:
        ended = subprocess.run(
            [program, *words[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=max(seconds, 0.01),
            env=child_environment({"LC_ALL": "C"}),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return CommandResult(TOO_SLOW, stderr=f"{words[0]} gave no answer in {seconds:g} s")
    except OSError as error:
        return CommandResult(NOT_FOUND, stderr=f"{words[0]}: {error.strerror or error}")
    return CommandResult(ended.returncode, _text(ended.stdout), _text(ended.stderr))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
