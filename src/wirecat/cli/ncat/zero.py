"""Zero-I/O mode (``-z``): whether a port is open, and nothing sent but what finding out takes."""

from __future__ import annotations

from time import monotonic

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import SUCCESS
from wirecat.cli.ncat.opening import open_to, refusal
from wirecat.errors import DeadlineExpired, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.stream import Stream

REFUSAL_TIME = 2.0  # seconds that an ICMP "port unreachable" may take to come back


def probe(settings: Settings, operands: Operands, voice: Voice, environment: Environment) -> int:
    """Exit code 0 where somebody accepts. UDP knows no accepting: there a refusal is waited for. Raises Ending."""
    started = monotonic()
    stream = open_to(settings, operands, voice)
    sent = 0
    try:
        if settings.udp:
            sent = _knock(stream, settings)
            voice.tell(messages.UDP_SENT)
    finally:
        stream.close()
    voice.tell(messages.counts(sent, 0, monotonic() - started))
    return SUCCESS


def _knock(stream: Stream, settings: Settings) -> int:
    """Send one zero byte and wait for a refusal; how many bytes were sent."""
    stream.set_timeout(REFUSAL_TIME)
    try:
        stream.send(b"\0")
        stream.receive(1)
    except DeadlineExpired:
        return 1  # nobody said no
    except WirecatError as error:
        raise refusal(error, settings) from error
    return 1
