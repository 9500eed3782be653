"""The door to this machine's firewall."""

from __future__ import annotations

import sys

import pytest

from wirecat.reach.firewall import read_firewall
from wirecat.reach.packet import LAN, Packet

PACKET = Packet(LAN, "eth0", "192.168.77.20", 24, 12345)


def test_an_unknown_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    firewall = read_firewall(1)
    (answer,) = firewall.judge([PACKET])
    assert (answer.state, answer.evidence) == ("unknown", "the firewall of plan9 is not known to wirecat")
