"""What this PC's own firewall does with a connection from others, whatever the system."""

from __future__ import annotations

import os
import sys

from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from wirecat.reach.packet import Packet

    class Firewall(Protocol):
        """What judges packets: ``asked`` tells how."""

        asked: list[str]

        def judge(self, packets: Sequence[Packet]) -> list[FirewallAnswer]: ...

    class _Rules(Protocol):
        """Rules that have been read, and are asked about one packet."""

        asked: list[str]

        def ask(self, packet: Packet) -> FirewallAnswer: ...


class FirewallAnswer(Immutable):
    """``state`` (ok, blocked, unknown), a line of ``evidence``, and ``fix``, the command that lets it in or finds out.

    ``{port}`` in a fix stands for the port.
    """

    __slots__ = ("state", "evidence", "fix")

    state: str
    evidence: str
    fix: str

    def __init__(self, state: str, evidence: str, fix: str) -> None:
        self._set(state=state, evidence=evidence, fix=fix)


def read_firewall(seconds: float) -> Firewall:
    """Read the rules of this machine's firewall; each program that is asked has ``seconds``."""
    if sys.platform == "win32":
        from wirecat.reach.windows_firewall import WindowsFirewall

        return ReadFirewall(WindowsFirewall.read(seconds))
    if sys.platform == "darwin":
        from wirecat.reach.macos_firewall import MacosFirewall

        return ReadFirewall(MacosFirewall.read(seconds))
    if sys.platform.startswith("linux"):
        from wirecat.reach.linux_firewall import LinuxFirewall

        return LinuxFirewall(seconds)
    return ReadFirewall(UnknownFirewall())


class ReadFirewall:
    """A firewall whose rules were read as text: they are asked about each packet."""

    def __init__(self, rules: _Rules) -> None:
        self.asked = rules.asked
        self._rules = rules

    def judge(self, packets: Sequence[Packet]) -> list[FirewallAnswer]:
        """What the rules say of each packet."""
        return [self._rules.ask(packet) for packet in packets]


class UnknownFirewall:
    """That of a system whose firewall is not known here."""

    asked: list[str] = []  # noqa: RUF012  nothing is ever added

    def ask(self, packet: Packet) -> FirewallAnswer:
        """Unknown."""
        return FirewallAnswer("unknown", f"the firewall of {sys.platform} is not known to wirecat", "")


def sudo() -> str:
    """What stands before a command that only root may run."""
    return "" if not hasattr(os, "geteuid") or os.geteuid() == 0 else "sudo "
