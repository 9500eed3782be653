"""Draws docs/windows.svg, the picture in the README: a server's window and a client's, as they really looked.

PYTHONPATH=src python3 tools/windows_picture.py > docs/windows.svg
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from html import escape

SERVER = "wirecat serve reply:'You told me: {data}'"
CLIENT = "wirecat connect --ask 12345"
TYPED = ("Hallo", "Grüße an alle", "quit")
WIDTH, LINE, LEFT, TOP = 940, 19, 16, 54


class Window:
    """A command in a terminal of its own; ``text`` is what it showed."""

    def __init__(self, *arguments: str) -> None:
        master, slave = pty.openpty()
        self.master = master
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wirecat", *arguments], stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)

    def wait_for(self, pattern: str, seconds: float = 10) -> re.Match[str]:
        """Read until the text matches."""
        while not (match := re.search(pattern, self.text)):
            if not select.select([self.master], [], [], seconds)[0]:
                raise TimeoutError(f"{pattern!r} is not in {self.text!r}")
            self.text += os.read(self.master, 65536).decode()
        return match

    def type(self, text: str) -> None:
        os.write(self.master, f"{text}\n".encode())

    def lines(self, port: str) -> list[str]:
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.text).replace("\r", "")
        return [line for line in plain.replace(port, "12345").splitlines() if line.strip()]


def draw(title: str, command: str, lines: list[str], top: int) -> tuple[str, int]:
    """One window as SVG, and its height."""
    shown = [f"$ {command}", *lines]
    height = TOP + len(shown) * LINE + 4
    rows = "".join(
        f'<text x="{LEFT}" y="{top + TOP + number * LINE}" class="{"typed" if number == 0 else "said"}">'
        f"{escape(line)}</text>"
        for number, line in enumerate(shown)
    )
    return (
        f'<rect x="1" y="{top + 1}" width="{WIDTH - 2}" height="{height}" rx="8" class="window"/>'
        f'<text x="{LEFT}" y="{top + 22}" class="title">{escape(title)}</text>{rows}'
    ), height


def main() -> None:
    server = Window("serve", "reply:You told me: {data}", "0")
    port = server.wait_for(r"127\.0\.0\.1:(\d+)")[1]
    client = Window("connect", "--ask", "--newline", "none", port)
    for text in TYPED:
        client.wait_for(r"> $")
        client.type(text)
        client.wait_for(re.escape(f"You told me: {text}"))
        if text == "quit":
            client.process.wait(10)
        else:
            client.wait_for(r"You told me: [^\n]*\n> $")
    server.wait_for(r"closed by the client [^\n]*\n")
    server.process.send_signal(2)
    server.process.wait(10)
    first, height = draw("the server's window", SERVER, server.lines(port), 0)
    second, more = draw("the client's window", f"{CLIENT} --newline none", client.lines(port), height + 12)
    print(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height + more + 16}" '
        f'viewBox="0 0 {WIDTH} {height + more + 16}" role="img" aria-label="A server and a client in two windows">'
        "<style>text{font:14px ui-monospace,Menlo,Consolas,monospace;white-space:pre}.window{fill:#10151c;stroke:#3a4757}"
        ".title{fill:#8fa3b8}.typed{fill:#7ee0a1}.said{fill:#e6edf3}</style>"
        f"{first}{second}</svg>"
    )


if __name__ == "__main__":
    main()
