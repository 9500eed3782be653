"""Every example in the README and in docs/ runs, and prints what it says it prints.

In a block of ``sh``, a line that starts a server (``wirecat serve``, ``listen``, ``relay``) is the first window, and goes
on while the lines after it run; ``#>`` lines must be found, in order, in what the line before them printed. Ports 12345
and 12346 are replaced by free ones. In a block of ``python`` the ``#>`` lines must be found in what the whole block
printed; a block marked ``file=NAME`` is only written to that file.
"""

from __future__ import annotations

import re
import shlex
import socket
import stat
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from peers import PROJECT, Program, environment
from recording.made import Maker

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Pages about what others have recorded, in talk.pcapng.
READ_RECORDINGS = {"record.md", "report.md"}
SERVERS = re.compile(r"wirecat (serve|listen|relay|record)\b(?!.*--help)")


def blocks() -> list[object]:
    return [
        pytest.param(page, number, id=f"{page.name}-{number}")
        for page in PAGES
        for number in range(len(BLOCK.findall(page.read_text(encoding="utf-8"))))
    ]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Each command of a block, and what it must print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("#> "):
            found[-1][1].append(line[3:])
        elif line and not line.startswith("#"):
            found.append((line, []))
    return found


def assert_in_order(printed: str, wanted: list[str]) -> None:
    place = 0
    for text in wanted:
        place = printed.find(text, place)
        assert place >= 0, f"{text!r} is not in (or not at its place in) {printed!r}"
        place += len(text)


def with_command(folder: Path) -> dict[str, str]:
    """An environment in which ``wirecat`` is a command."""
    script = folder / "bin" / "wirecat"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m wirecat "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    import os

    return environment(PATH=f"{script.parent}{os.pathsep}{os.environ['PATH']}", PYTHONIOENCODING="utf-8")


def write_files(page: Path, folder: Path) -> None:
    for language, mark, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python" and "file=" in mark:
            (folder / mark.partition("file=")[2].strip()).write_text(text, encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="the examples are written for a POSIX shell")
@pytest.mark.parametrize(("page", "number"), blocks())
def test_example(page: Path, number: int, tmp_path: Path) -> None:
    language, mark, text = BLOCK.findall(page.read_text(encoding="utf-8"))[number]
    write_files(page, tmp_path)
    if page.name in READ_RECORDINGS and "--record" not in text:
        maker = Maker()
        maker.talk(1)
        maker.write(tmp_path / "talk.pcapng")
    variables = with_command(tmp_path)
    if language == "python":
        script = tmp_path / (mark.partition("file=")[2].strip() or "example.py")
        script.write_text(text, encoding="utf-8")
        with Program([sys.executable, script], env=variables, cwd=tmp_path) as program:
            assert program.wait() == 0, program.describe()
            # The formatter of the source writes "# >" in blocks of Python.
            wanted = [line.partition("> ")[2] for line in text.splitlines() if line.startswith(("#> ", "# > "))]
            assert_in_order(program.stdout.decode(), wanted)
        return
    with ExitStack() as stack:
        for port in ("12345", "12346"):
            text = text.replace(port, str(free_port()))
        for command, wanted in commands(text):
            # exec, so that what is interrupted at the end is wirecat and not the shell around it
            words = ["sh", "-c", f"exec {command}" if SERVERS.match(command) else command]
            program = stack.enter_context(Program(words, env=variables, cwd=tmp_path))
            if SERVERS.match(command):
                program.wait_for("stderr", rb"listening on .*\n")
                stack.callback(program.interrupt)
                continue
            program.close_stdin()
            assert program.wait() == 0, program.describe()
            assert_in_order(program.stdout.decode(), wanted)


def test_there_are_examples_on_each_page_for_users() -> None:
    for name in ("README.md", "talk.md", "serve.md", "swarm.md", "sockets.md", "library.md", "relay.md", "record.md"):
        page = next(page for page in PAGES if page.name == name)
        assert BLOCK.search(page.read_text(encoding="utf-8")), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
