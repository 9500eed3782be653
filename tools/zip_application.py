"""Make one file of wirecat that runs wherever there is a Python 3.11 or newer: a zip application.

    python3 tools/zip_application.py [FILE]          (default: dist/wirecat.pyz)

It starts as fast as what pip installs, by three things that Python's own `zipapp` does not do:

- Beside each source file lies what this Python has compiled of it, marked to be taken as it is. Another version of
  Python takes the source, which is all there, and compiles it at each start.
- What is compiled is stored and not compressed. (The sources are compressed: they are read for tracebacks alone.)
- Its first lines are for the shell, and start Python with the two lines that are wanted. A zip file that is given to
  Python as a program has it load `runpy` first. `python3 wirecat.pyz` works all the same, and is the way on Windows.

The same sources, compiled by the same Python, give the same file.
"""

from __future__ import annotations

import py_compile
import sys
import tempfile
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "src"
DEFAULT = PROJECT / "dist" / "wirecat.pyz"
WHEN = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file knows

#: Without a quote of the shell's in it. The name of the file takes the place that a script has in `sys.argv`.
BEGIN = (
    "import os, sys; "
    'sys.version_info < (3, 11) and sys.exit("wirecat needs Python 3.11 or newer; python3 is %d.%d" % sys.version_info[:2]); '
    "del sys.argv[0]; "
    "sys.path[0] = os.path.abspath(sys.argv[0]); "
    "from wirecat.__main__ import command; "
    "sys.exit(command())"
)
SHELL = f'#!/bin/sh\nexec python3 -c \'{BEGIN}\' "$0" "$@"\n'
MAIN = "import sys\n\nfrom wirecat.__main__ import command\n\nsys.exit(command())\n"


def build(path: Path) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file, tempfile.TemporaryDirectory() as folder:
        file.write(SHELL.encode())
        with zipfile.ZipFile(file, "w") as archive:
            scratch = Path(folder)
            main = scratch / "__main__.py"
            main.write_text(MAIN, encoding="utf-8")
            add(archive, main, "__main__.py", scratch)
            for source in sorted(SOURCE.rglob("*")):
                name = source.relative_to(SOURCE).as_posix()
                if source.is_file() and source.suffix in (".py", ".typed"):
                    add(archive, source, name, scratch)
            put(archive, "LICENSE", (PROJECT / "LICENSE").read_bytes(), zipfile.ZIP_DEFLATED)
    unfinished.chmod(0o755)
    unfinished.replace(path)


def add(archive: zipfile.ZipFile, source: Path, name: str, scratch: Path) -> None:
    """Put a file into the archive, and what is compiled of it."""
    put(archive, name, source.read_bytes(), zipfile.ZIP_DEFLATED)
    if source.suffix == ".py":
        compiled = scratch / "compiled"
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), str(compiled), name, doraise=True, invalidation_mode=mode)
        put(archive, f"{name}c", compiled.read_bytes(), zipfile.ZIP_STORED)


def put(archive: zipfile.ZipFile, name: str, data: bytes, method: int) -> None:
    entry = zipfile.ZipInfo(name, WHEN)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data, method)


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    build(path)
    print(f"{path}: {path.stat().st_size:,} bytes, compiled by Python {sys.version.split()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
