"""The door to this machine's firewall."""

from __future__ import annotations

import sys

import pytest

from wirecat.reach.firewall import UnknownFirewall, read_firewall
from wirecat.reach.packet import LAN, Packet

PACKET = Packet(LAN, "eth0", "192.168.77.20", 24, 12345)


def test_an_unknown_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    firewall = read_firewall(1)
    assert isinstance(firewall, UnknownFirewall)
    assert firewall.ask(PACKET).state == "unknown"
