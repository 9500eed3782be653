"""What came of a replay, in words."""

from __future__ import annotations

from wirecat.recording.comparison import Difference
from wirecat.recording.player import Played
from wirecat.recording.replay import ReplayResult
from wirecat.views.text_replay import MOST, difference_text, replay_text


def test_no_difference() -> None:
    played = Played(1)
    played.sent, played.received = 1500, 7
    assert replay_text(ReplayResult([played], 1.25), "exact") == (
        "1 connection in 1.2 s: 1.5 kB sent, 7 B received; no difference\n"
    )
    assert "not compared" in replay_text(ReplayResult([played], 1.0), "none")


def test_differences() -> None:
    assert difference_text(Difference(12, b"abc\x1b", b"")) == (
        "differs at byte 12: recorded 'abc\\x1b' (61 62 63 1b), got nothing more"
    )
    wrong = [Played(number) for number in range(MOST + 2)]
    for each in wrong:
        each.failure = "refused"
    wrong[0].difference = Difference(0, b"a", b"b")
    lines = replay_text(ReplayResult(wrong, 1.0), "exact").splitlines()
    assert lines[:2] == ["#0 differs at byte 0: recorded 'a' (61), got 'b' (62)", "#0 refused"]
    assert lines[-2] == "2 more"
    assert f"{MOST + 2} with a difference" in lines[-1]
