"""What a program loads: run it in a fresh interpreter that writes down each import."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable

from peers import SOURCE


@functools.cache
def loaded_by(code: str, *arguments: str) -> tuple[frozenset[str], subprocess.CompletedProcess[str]]:
    """The modules that a piece of Python loads beyond what every interpreter starts with, and how it ended.

    `-X importtime` tells of each import as it happens, so nothing is missed that is unloaded again, or that
    comes just before the end. The interpreter is isolated (`-I`) and without `site` (`-S`), so that what this
    machine has installed makes no difference.
    """
    modules, ended = _run(code, *arguments)
    return modules - _run("pass")[0], ended


def loaded_while(meet: Callable[[str], None], code: str, *arguments: str) -> frozenset[str]:
    """As `loaded_by`, for a program that waits for somebody: `meet` is given the first line that it says."""
    with subprocess.Popen(
        _command(code, *arguments), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as it:
        assert it.stderr is not None
        watch = threading.Timer(30, it.kill)
        watch.start()
        try:
            met, modules = False, set()
            for line in it.stderr:
                if line.startswith("import time:"):
                    modules.add(line.rpartition("|")[2].strip())
                elif not met:
                    met = True
                    meet(line)
        finally:
            watch.cancel()
            watch.join()
            it.kill()
    assert it.returncode == 0
    return frozenset(modules - {"imported package"}) - _run("pass")[0]


def _command(code: str, *arguments: str) -> list[str]:
    start = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); "
    return [sys.executable, "-I", "-S", "-X", "importtime", "-c", start + code, *arguments]


def _run(code: str, *arguments: str) -> tuple[frozenset[str], subprocess.CompletedProcess[str]]:
    ended = subprocess.run(
        _command(code, *arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )
    modules, said = set(), []
    for line in ended.stderr.splitlines(keepends=True):
        if line.startswith("import time:"):
            modules.add(line.rpartition("|")[2].strip())
        else:
            said.append(line)
    ended.stderr = "".join(said)
    return frozenset(modules - {"imported package"}), ended
