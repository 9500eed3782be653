"""The command: ``wirecat`` and ``python -m wirecat``."""

from __future__ import annotations

import sys

# Programs that wirecat stands in for when it is called by their names: a link or a copy of the launcher is enough.
DIALECTS = ("ncat",)


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
    sys.exit(main())
