"""A report in a real browser: it loads, nothing in it runs, and the browser has nothing to complain of."""

from __future__ import annotations

from pathlib import Path

import pytest

from peers import Program, peer
from recording.made import Maker
from wirecat.app.report import report
from wirecat.taps.tap import RECEIVED, SENT

HOSTILE = (
    b"<script>document.title = 'taken'; console.log('it ran')</script>",
    b"\"><img src=x onerror=\"console.log('it ran')\"><svg onload=console.log('it ran')>",
    b"</style></svg></pre></details></body><script>console.log('it ran')</script>",
    "\u202e\u2066 right to left \ufffe".encode() + b"\x00\x1b[2J\xff\xc3",
)


def browse(page: Path, folder: Path) -> tuple[str, str]:
    """The document as the browser has it once all has been loaded, and what its console says."""
    words = [
        peer("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    with Program(words) as browser:
        assert browser.wait(60) == 0, browser.describe()
        console = [line for line in browser.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        return browser.stdout.decode(), "\n".join(console)


@pytest.mark.timeout(120)
def test_hostile_bytes_do_nothing_in_a_browser(tmp_path: Path) -> None:
    maker = Maker()
    for number in (1, 2):
        conversation = maker.opened(number)
        for text in HOSTILE:
            maker.now += 1_000_000
            maker.pieces += conversation.chunk(maker.now, RECEIVED, text)
            maker.pieces += conversation.chunk(maker.now, SENT, text)
        maker.closed(number)
    page = tmp_path / "report.html"
    hostile = HOSTILE[0].decode()
    page.write_bytes(report(maker.write(tmp_path / "talk.pcapng"), author=hostile, title=f"A title {hostile}"))
    document, console = browse(page, tmp_path)
    assert console == ""
    assert "<title>A title &lt;script&gt;" in document
    assert "<script" not in document
    assert "<img" not in document
    assert document.count("<svg") == 10  # five pictures, each for a laptop and for a phone


@pytest.mark.timeout(120)
def test_a_page_that_runs_something_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "other.html"
    page.write_bytes(b"<!DOCTYPE html><title>x</title>" + HOSTILE[0])
    document, console = browse(page, tmp_path)
    assert "it ran" in console
    assert "<title>taken</title>" in document
