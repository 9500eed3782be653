"""Reports are limited to one a second for each subject."""

from __future__ import annotations

from server.test_reply_limit import Clock
from wirecat.server import once_a_second
from wirecat.server.once_a_second import OnceASecond


def test_each_subject_once_a_second() -> None:
    clock = Clock()
    reported = OnceASecond(clock)
    assert reported.now("a") and reported.now("b") and not reported.now("a")
    clock.now += 0.9
    assert not reported.now("a")
    clock.now += 0.2
    assert reported.now("a") and not reported.now("a")
    for number in range(once_a_second._MOST * 2):
        reported.now(str(number))
    assert len(reported._reported) <= once_a_second._MOST
