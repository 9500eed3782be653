"""Lua scripts for ``--lua-exec``: what runs them, and whether a script can be read at all before a socket opens."""

from __future__ import annotations

import os
import sys

from wirecat.cli.ncat.endings import quitting

_PROGRAMS = ("lua", "lua5.4", "lua5.3", "lua5.1", "luajit")
# Runs a script in a process of its own, whose standard input and output are the connection. `loadfile` is Lua's own, so
# a first line that begins with # is for the shell. Latin-1 keeps the bytes of a path and of a message as they are.
_RUN = """\
import lupa, os, sys
known = lupa.LuaRuntime(encoding="latin-1").globals()
chunk = known.loadfile(os.fsencode(sys.argv[1]).decode("latin-1"))
step, result = ("loading", chunk) if isinstance(chunk, tuple) else ("running", known.xpcall(chunk, known.debug.traceback))
if result is not True and result[0] is not True:
    sys.stderr.write(f"Ncat: Error {step} the Lua script: {result[1]}. QUITTING.\\n")
    sys.exit(1)
"""


def lua_words() -> list[str]:
    """The program that runs Lua scripts here: the module ``lupa``, else an interpreter. Raises Ending for none."""
    if _has_lupa():
        return [sys.executable, "-c", _RUN]
    import shutil

    for name in _PROGRAMS:
        found = shutil.which(name)
        if found is not None:
            return [found]
    raise quitting("--lua-exec wants Lua: pip install 'wirecat[lua]'.")


def check_script(path: str) -> None:
    """Raises Ending for a script that cannot be read, or is no Lua; the latter where ``lupa`` is there to tell."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError as error:
        raise quitting(f"Error loading the Lua script: cannot open {path}: {error.strerror}.") from error
    if not _has_lupa():
        return
    import lupa  # type: ignore[import-not-found,import-untyped,unused-ignore]

    chunk = lupa.LuaRuntime(encoding="latin-1").globals().loadfile(os.fsencode(path).decode("latin-1"))
    if isinstance(chunk, tuple):
        reason = os.fsdecode(chunk[1].encode("latin-1"))
        raise quitting(f"Error loading the Lua script: {reason}.")


def _has_lupa() -> bool:
    import importlib.util

    return importlib.util.find_spec("lupa") is not None
