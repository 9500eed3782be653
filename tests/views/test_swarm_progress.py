"""The progress line: one line, drawn over, wiped at the end, and no hindrance when the terminal stalls."""

from __future__ import annotations

import threading

import pytest

from wirecat.swarm.progress import SwarmProgress
from wirecat.views import swarm_progress
from wirecat.views.swarm_progress import ProgressLine, progress_text

PATIENCE = 20.0


def progress(phase: str = "talking", **changes: object) -> SwarmProgress:
    fields = {
        "phase": phase, "clients": 200, "connected": 200, "failed": 0, "sent": 1234, "replies": 1200, "wrong": 0,
        "seconds": 1.0, "rate": 4321.6,
    }  # fmt: skip
    return SwarmProgress(**{**fields, **changes})


def test_what_it_says() -> None:
    assert progress_text(progress("connecting", connected=7)) == "connected 7 of 200"
    assert progress_text(progress("connected", connected=190, failed=10)) == "connected 190 of 200, 10 failed"
    assert progress_text(progress()) == "connected 200, sent 1234, replies 1200, 4322/s"
    assert progress_text(progress(wrong=3)) == "connected 200, sent 1234, replies 1200 (3 wrong), 4322/s"
    assert progress_text(progress("closing")).endswith("closing")
    assert progress_text(progress("knocking", connected=99, failed=1)) == "99 connects, 1 failed, 4322/s"
    assert len(progress_text(progress(sent=10**30, replies=10**30))) <= 79


class Terminal:
    def __init__(self) -> None:
        self.written: list[str] = []
        self.came = threading.Semaphore(0)

    def write(self, text: str) -> None:
        self.written.append(text)
        self.came.release()

    def wait(self) -> None:
        assert self.came.acquire(timeout=PATIENCE)


def test_it_is_drawn_over_and_wiped() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal.write)
    line.show(progress())
    terminal.wait()
    line.clear()
    first = "\rconnected 200, sent 1234, replies 1200, 4322/s"
    assert terminal.written == [first, "\r" + " " * (len(first) - 1) + "\r"]


def test_a_shorter_line_covers_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_progress, "_SHORTEST_PAUSE", 0.0)
    terminal = Terminal()
    line = ProgressLine(terminal.write)
    for each in (progress(), progress("connecting")):
        line.show(each)
        terminal.wait()
    line.clear()
    first, second, _ = terminal.written
    assert len(second) == len(first) and second.rstrip() == "\rconnected 200 of 200"


def test_it_is_drawn_at_most_five_times_a_second() -> None:
    terminal = Terminal()
    line = ProgressLine(terminal.write)
    for _ in range(1000):
        line.show(progress())
    terminal.wait()
    line.clear()
    assert len(terminal.written) <= 3  # one drawing, the wiping, and one more on a machine that stood still


def test_nothing_was_shown() -> None:
    terminal = Terminal()
    ProgressLine(terminal.write).clear()
    assert not terminal.written


def test_a_terminal_that_stalls_holds_up_nobody() -> None:
    released = threading.Event()
    line = ProgressLine(lambda text: released.wait(PATIENCE))
    for _ in range(100):
        line.show(progress())
    line.clear(timeout=0.1)
    released.set()
    line.clear()
    assert line._thread is not None and not line._thread.is_alive()
