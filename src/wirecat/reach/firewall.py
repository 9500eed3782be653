"""What this PC's own firewall does with a connection from others, whatever the system."""

from __future__ import annotations

import os
import sys

from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from wirecat.reach.packet import Packet

    class Firewall(Protocol):
        """A firewall whose rules have been read: ``asked`` tells how."""

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

        return WindowsFirewall.read(seconds)
    if sys.platform == "darwin":
        from wirecat.reach.macos_firewall import MacosFirewall

        return MacosFirewall.read(seconds)
    if sys.platform.startswith("linux"):
        from wirecat.reach.linux_firewall import LinuxFirewall

        return LinuxFirewall(seconds)
    return UnknownFirewall()


class UnknownFirewall:
    """That of a system whose firewall is not known here."""

    asked: list[str] = []  # noqa: RUF012  nothing is ever added

    def ask(self, packet: Packet) -> FirewallAnswer:
        """Unknown."""
        return FirewallAnswer("unknown", f"the firewall of {sys.platform} is not known to wirecat", "")


def sudo() -> str:
    """What stands before a command that only root may run."""
    return "" if not hasattr(os, "geteuid") or os.geteuid() == 0 else "sudo "
