"""The command: ``wirecat`` and ``python -m wirecat``.

A start takes some 10 ms beyond Python's own, and a third of that was for looking through what was just imported for
garbage, and for taking it apart at the end: of both, ``command`` spares what nobody would miss.
"""

from __future__ import annotations

import os
import sys

# Programs that wirecat stands in for when it is called by their names: a link or a copy of the launcher is enough.
DIALECTS = ("ncat",)


# Who has loaded one of these may have something to do at the end: threads to wait for, files to remove, children.
_WITH_AN_END = ("threading", "subprocess", "tempfile", "ssl", "ctypes", "atexit")


def command() -> int:
    """As ``main``, in a process of its own, which may be over when this would return: what the installed script calls."""
    import gc

    gc.disable()  # until the verb begins (see ``dispatch``): what is imported is no garbage
    code = main()
    if not _has_an_end():
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (AttributeError, OSError, ValueError):
            return code  # Python's own way out knows what to say of it
        os._exit(code)
    return code


def _has_an_end() -> bool:
    """Whether Python's own way out may have something to do, or to tell to whoever watches."""
    watched = sys.warnoptions or sys.flags.dev_mode or sys.flags.inspect or sys.gettrace() or sys.getprofile()
    return bool(watched) or any(name in sys.modules for name in _WITH_AN_END)


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        from wirecat.cli.main import main as run

        name = called_as(sys.argv[0]).lower()
        return run([name, *sys.argv[1:]] if name in DIALECTS else sys.argv[1:])
    except KeyboardInterrupt:  # while it was still being loaded
        return 130


def called_as(path: str) -> str:
    """The name of the program in a path: without its folder, and without what Windows and zip applications add to
    it."""
    name = path.replace("\\", "/").rpartition("/")[2]
    for ending in (".exe", ".pyz"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name


if __name__ == "__main__":
    sys.exit(command())
