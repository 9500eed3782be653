"""Make the developer's environment in .venv: wirecat itself, its extras, and the tools for tests and checks.

    python3 tools/environment.py

Run by the Makefile, with the Python that the environment shall have. What is there and fits is left alone: it
fits when it was made by this Python, at this place, from this pyproject.toml, and still runs. Anything else
is removed and made again. Four ways are tried in turn, because systems take Python apart differently:

1. `venv`, as it should be;
2. `virtualenv`, where the system has left ensurepip out and virtualenv is there;
3. `venv --without-pip`, filled from outside by this Python's own pip;
4. no environment at all: a folder of packages (`pip --target`) and a `bin/python` that puts it on the path.

pip alone decides where packages come from, by its own configuration and environment. Exit 0 when the
environment is ready, 1 with what was tried and what to install when it could not be made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".venv"
PYTHON = FOLDER / "bin" / "python"
STAMP = FOLDER / "made-from.json"
EXTRAS = ("dev", "fast", "sockets")

#: Seconds one step may take. Installing from a slow mirror takes minutes; for ever is not minutes.
STEP_SECONDS = 900

#: Imported to see whether an environment still runs: the tools themselves and what they stand on.
PROBE = "import hypothesis, mypy, pytest, pytest_timeout, xdist, wirecat._version"


class StepFailed(Exception):
    """A command of one of the ways did not work; the text says which, and what it said."""


class InstallFailed(StepFailed):
    """The packages could not be had: any other way would ask the same index in vain."""


def say(text: str) -> None:
    print(f"environment: {text}", file=sys.stderr, flush=True)


def fingerprint() -> dict[str, str]:
    """What the environment depends on: one made from anything else is made again."""
    return {
        "python": os.path.realpath(sys.executable),
        "version": sys.version,
        "folder": str(FOLDER),
        "pyproject": hashlib.sha256((PROJECT / "pyproject.toml").read_bytes()).hexdigest(),
    }


def fits() -> bool:
    """Tell whether what lies in .venv was made from what is here now, and still runs."""
    try:
        if json.loads(STAMP.read_text()) != fingerprint():
            return False
        probe = subprocess.run(
            [PYTHON, "-c", PROBE], cwd=FOLDER, capture_output=True, timeout=60, env=without_python_path()
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def without_python_path() -> dict[str, str]:
    """The environment of this process, less what would let packages from elsewhere in."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def run(*command: str | Path) -> None:
    """Run a command; raise StepFailed with its output when it fails or takes too long."""
    shown = shlex.join(str(part) for part in command)
    try:
        ended = subprocess.run(
            command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=STEP_SECONDS,
            env=without_python_path(),
        )
    except subprocess.TimeoutExpired:
        raise StepFailed(f"{shown}: not done after {STEP_SECONDS} s") from None
    except OSError as error:
        raise StepFailed(f"{shown}: {error}") from error
    if ended.returncode != 0:
        output = ended.stdout.decode(errors="replace").strip()
        raise StepFailed(f"{shown}: exit {ended.returncode}\n{output}")


def install(*command: str | Path) -> None:
    """Run a pip that is known to work; raise InstallFailed when it can't get what it is asked for."""
    try:
        run(*command)
    except StepFailed as failure:
        raise InstallFailed(str(failure)) from failure


def requirements() -> list[str]:
    """What the extras in EXTRAS name, for the way that can't install the project itself."""
    with (PROJECT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    return [requirement for extra in EXTRAS for requirement in extras[extra]]


def project_with_extras() -> list[str]:
    return ["--editable", f".[{','.join(EXTRAS)}]"]


def by_venv() -> None:
    run(sys.executable, "-m", "venv", FOLDER)
    install(PYTHON, "-m", "pip", "install", "--quiet", *project_with_extras())


def by_virtualenv() -> None:
    try:
        run(sys.executable, "-m", "virtualenv", "--quiet", FOLDER)
    except StepFailed:
        program = shutil.which("virtualenv")
        if program is None:
            raise StepFailed("virtualenv: not installed") from None
        run(program, "--quiet", "--python", sys.executable, FOLDER)
    install(PYTHON, "-m", "pip", "install", "--quiet", *project_with_extras())


def by_outer_pip() -> None:
    run(sys.executable, "-m", "venv", "--without-pip", FOLDER)
    run(sys.executable, "-m", "pip", "--python", PYTHON, "install", "--quiet", *project_with_extras())


def by_folder() -> None:
    packages = FOLDER / "packages"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", packages, *requirements())
    PYTHON.parent.mkdir(parents=True, exist_ok=True)
    paths = shlex.quote(f"{PROJECT / 'src'}{os.pathsep}{packages}")
    # A program that a test starts inherits the path, whichever Python it names.
    PYTHON.write_text(
        "#!/bin/sh\n"
        f'PYTHONPATH={paths}"${{PYTHONPATH:+{os.pathsep}$PYTHONPATH}}"\n'
        "export PYTHONPATH\n"
        f'exec {shlex.quote(sys.executable)} "$@"\n'
    )
    PYTHON.chmod(0o755)


WAYS: Sequence[tuple[str, Callable[[], None]]] = (
    ("venv", by_venv),
    ("virtualenv", by_virtualenv),
    ("venv without pip of its own", by_outer_pip),
    ("a folder of packages", by_folder),
)


def make() -> None:
    """Make the environment by the first way that works; raise StepFailed with all that was tried."""
    failures = []
    for name, way in WAYS:
        remove()
        try:
            way()
        except StepFailed as failure:
            failures.append(f"{name}: {failure}")
            if isinstance(failure, InstallFailed):
                break
            say(f"by {name}: does not work here")
            continue
        STAMP.write_text(json.dumps(fingerprint(), indent=2))
        if fits():
            say(f"ready in {FOLDER.name} (by {name})")
            return
        failures.append(f"{name}: made, but it does not run: {PYTHON} -c '{PROBE}'")
    remove()
    raise StepFailed("\n\n".join(failures))


def remove() -> None:
    if FOLDER.is_symlink() or FOLDER.is_file():
        FOLDER.unlink()
    elif FOLDER.exists():
        shutil.rmtree(FOLDER)


def main() -> int:
    if sys.version_info < (3, 11):
        say(f"wirecat needs Python 3.11 or newer, this is {sys.version.split()[0]}")
        return 1
    if fits():
        return 0
    again = "made again: it was broken, or made from something else" if FOLDER.exists() else "made"
    say(f"{FOLDER.name} is being {again} (Python {sys.version.split()[0]}; a minute or so)")
    try:
        make()
    except StepFailed as failure:
        say(f"could not be made. What was tried:\n\n{failure}\n")
        say(
            "needed are pip and a way to a package index, and either venv (Debian and Ubuntu: "
            "`apt install python3-venv python3-pip`) or virtualenv. `make demo` needs none of them."
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
