"""Connect mode: standard input and output, or a program, and a peer."""

from __future__ import annotations

from time import monotonic

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import SUCCESS
from wirecat.cli.ncat.opening import open_to
from wirecat.cli.ncat.session import Taps, converse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings


def connect(settings: Settings, operands: Operands, voice: Voice, environment: Environment) -> int:
    """Talk to a peer until one side's end. Raises Ending."""
    from wirecat.cli.ending_of_signals import dying_of_signals

    started = monotonic()
    with dying_of_signals() as signals, Taps(settings, signals, voice) as taps:
        stream = open_to(settings, operands, voice)
        with taps.connection(stream) as connection:
            if settings.command is not None:
                from wirecat.cli.ncat.exec import run_command

                run_command(connection, settings, voice)
                return SUCCESS
            converse(connection, settings, voice, environment)
    voice.tell(messages.counts(connection.bytes_sent, connection.bytes_received, monotonic() - started))
    if settings.unixsock and settings.udp and settings.source:
        voice.tell(messages.own_path_removed(settings.source))
    return SUCCESS
