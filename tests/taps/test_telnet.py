"""Tests of the tap that refuses telnet's options."""

from __future__ import annotations

from wirecat.taps.tap import RECEIVED, SENT
from wirecat.taps.telnet import TelnetTap


def test_options_are_refused_and_taken_out_of_what_is_received() -> None:
    answers: list[bytes] = []
    tap = TelnetTap(answers.append)
    assert tap.alters
    assert tap.chunk(1, RECEIVED, b"a\xff\xfd\x18b\xff", 0.0) == b"ab"
    assert tap.chunk(1, RECEIVED, b"\xfb\x01c", 0.0) == b"c"
    assert answers == [b"\xff\xfc\x18", b"\xff\xfe\x01"]
    assert tap.chunk(1, SENT, b"\xff\xfd\x18", 0.0) == b"\xff\xfd\x18"
