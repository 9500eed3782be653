"""The application firewall of macOS, asked by ``socketfilterfw``: it decides by the program that listens, never by port.

Written after Apple's documentation. ``pf`` below it lets everything in unless somebody wrote rules for it, which only
root can read; they are not looked at.
"""

from __future__ import annotations

from wirecat.errors import WirecatError
from wirecat.reach.firewall import FirewallAnswer
from wirecat.reach.listening import listening_programs
from wirecat.reach.report import BLOCKED, OK, UNKNOWN
from wirecat.system.command import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.reach.packet import Packet

TOOL = "/usr/libexec/ApplicationFirewall/socketfilterfw"


class MacosFirewall:
    """Its state: what the tool said to three questions, "" where it said nothing.

    ``program`` is the one that listens; without it the socket table is asked for each packet's port.
    """

    def __init__(self, state: str, block_all: str, apps: str, asked: list[str], program: str = "") -> None:
        self.asked = asked
        self._state = state.lower()
        self._block_all = block_all.lower()
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

    @property
    def _is_off(self) -> bool:
        return "state = 0" in self._state or ("disabled" in self._state and "state = " not in self._state)

    @property
    def _blocks_all(self) -> bool:
        """State 2, in the words of old and new versions; the other option tells it too."""
        if "state = 2" in self._state or "block all" in self._state or "blocking all" in self._state:
            return True
        # "Block all ENABLED!", "Firewall is set to block all non-essential incoming connections"; else "… disabled".
        return "block all" in self._block_all and "disabled" not in self._block_all

    def ask(self, packet: Packet) -> FirewallAnswer:
        """What becomes of a connection to the program that listens on the packet's port."""
        if self._is_off:
            return FirewallAnswer(OK, "macOS' firewall is switched off", "")
        if self._blocks_all:
            return FirewallAnswer(
                BLOCKED, "macOS' firewall blocks all incoming connections", f"sudo {TOOL} --setblockall off"
            )
        if "enabled" not in self._state and "state = 1" not in self._state:
            return FirewallAnswer(UNKNOWN, "macOS' firewall could not be asked", f"{TOOL} --getglobalstate")
        programs = [self._program] if self._program else _find_programs(packet)
        if len(programs) != 1 or not programs[0].startswith("/"):
            return FirewallAnswer(
                UNKNOWN, f"macOS' firewall decides by program, and which one listens on port {packet.port} is unknown",
                f"sudo wirecat reach {packet.port}",
            )  # fmt: skip
        return self._ask_program(programs[0])

    def _ask_program(self, program: str) -> FirewallAnswer:
        allowed = application_state(self._apps, program)
        if allowed is True:
            return FirewallAnswer(OK, f"macOS' firewall lets {program} be connected to", "")
        if allowed is False:
            return FirewallAnswer(
                BLOCKED, f"macOS' firewall blocks connections to {program}", f"sudo {TOOL} --unblockapp '{program}'"
            )
        return FirewallAnswer(
            UNKNOWN,
            f"macOS' firewall has no entry for {program}: it asks when a server starts, or decides by signature",
            f"sudo {TOOL} --add '{program}' && sudo {TOOL} --unblockapp '{program}'",
        )


def _find_programs(packet: Packet) -> list[str]:
    try:
        return listening_programs(packet.port, str(packet.destination))
    except WirecatError:
        return []


def application_state(listing: str, program: str) -> bool | None:
    """Whether ``--listapps`` says that a program may be connected to; None where it is not listed.

    A line ``1 : /path/of/it`` is followed by one that says ``( Allow incoming connections )`` or ``( Block … )``. The
    path may be that of the bundle that the program is in (``/Applications/Game.app``).
    """
    lines = [line.strip() for line in listing.splitlines()]
    for number, line in enumerate(lines[:-1]):
        path = line.partition(" : ")[2].strip()
        if path and (program == path or program.startswith(f"{path.rstrip('/')}/")):
            answer = lines[number + 1].lower()
            return "allow" in answer if "allow" in answer or "block" in answer else None
    return None
