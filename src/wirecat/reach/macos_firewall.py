"""The application firewall of macOS, asked by ``socketfilterfw``: it decides by program, never by port.

Written after Apple's documentation. ``pf`` below it lets everything in unless somebody wrote rules for it, which only
root can read; they are not looked at.
"""

from __future__ import annotations

import sys

from wirecat.reach.firewall import FirewallAnswer
from wirecat.reach.report import BLOCKED, OK, UNKNOWN
from wirecat.system.command import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.packet import Packet

TOOL = "/usr/libexec/ApplicationFirewall/socketfilterfw"


class MacosFirewall:
    """Its state: what the tool said to three questions, "" where it said nothing."""

    def __init__(self, state: str, block_all: str, apps: str, asked: list[str], program: str = sys.executable) -> None:
        self.asked = asked
        self._state = state
        self._block_all = block_all
        self._apps = apps
        self._program = program

    @classmethod
    def read(cls, seconds: float) -> MacosFirewall:
        """Ask the tool, which answers ordinary users too."""
        answers = [
            run_command([TOOL, option], seconds) for option in ("--getglobalstate", "--getblockall", "--listapps")
        ]
        state, block_all, apps = (answer.stdout for answer in answers)
        return cls(state, block_all, apps, [f"{TOOL} --getglobalstate: exit {answers[0].code}"])

    def ask(self, packet: Packet) -> FirewallAnswer:
        """What becomes of any connection to a server that this Python runs."""
        if "disabled" in self._state:
            return FirewallAnswer(OK, "macOS' firewall is switched off", "")
        if "enabled" not in self._state:
            return FirewallAnswer(UNKNOWN, "macOS' firewall could not be asked", f"{TOOL} --getglobalstate")
        if "enabled" in self._block_all.lower() and "disabled" not in self._block_all.lower():
            return FirewallAnswer(
                BLOCKED, "macOS' firewall blocks all incoming connections", f"sudo {TOOL} --setblockall off"
            )
        allowed = application_state(self._apps, self._program)
        if allowed is True:
            return FirewallAnswer(OK, f"macOS' firewall lets {self._program} be connected to", "")
        if allowed is False:
            return FirewallAnswer(
                BLOCKED,
                f"macOS' firewall blocks connections to {self._program}",
                f"sudo {TOOL} --unblockapp {self._program}",
            )
        return FirewallAnswer(
            UNKNOWN,
            f"macOS' firewall has no entry for {self._program}: it asks when a server starts, or decides by signature",
            f"sudo {TOOL} --add {self._program} && sudo {TOOL} --unblockapp {self._program}",
        )


def application_state(listing: str, program: str) -> bool | None:
    """Whether ``--listapps`` says that a program may be connected to; None where it is not listed.

    A line ``1 : /path/of/it`` is followed by one that says ``( Allow incoming connections )`` or ``( Block … )``.
    """
    lines = [line.strip() for line in listing.splitlines()]
    for number, line in enumerate(lines[:-1]):
        if line.partition(" : ")[2].strip() == program:
            answer = lines[number + 1].lower()
            return "allow" in answer if "allow" in answer or "block" in answer else None
    return None
