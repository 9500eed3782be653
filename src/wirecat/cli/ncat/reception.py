"""Listen mode: the listening sockets are opened first, then what serves the clients is loaded.

A client that is started together with this program finds the port open only if it is opened early, and what serves many
clients takes longer to load than everything else. What is wrong with the options, the files and the access lists is told
before a port is opened.
"""

from __future__ import annotations

from wirecat.cli.ending_of_signals import ending_of_signals
from wirecat.cli.ncat.listening import open_listening
from wirecat.cli.ncat.session import Taps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.admission import Admission
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.endpoints.listener import Listener

    Mode = Callable[["Reception"], int]


class Reception:
    """What a mode serves its clients with: the options, and all that is open by now."""

    def __init__(
        self,
        settings: Settings,
        voice: Voice,
        environment: Environment,
        signals: ending_of_signals,
        taps: Taps,
        admission: Admission,
        listener: Listener,
    ) -> None:
        self.settings = settings
        self.voice = voice
        self.environment = environment
        self.signals = signals
        self.taps = taps
        self.admission = admission
        self.listener = listener


def listen(settings: Settings, operands: Operands, voice: Voice, environment: Environment) -> int:
    """Open what the options ask for and serve by the mode that they choose. Raises Ending, Signalled."""
    with ending_of_signals() as signals, Taps(settings, signals, voice) as taps:
        admission = _admission(settings) if settings.allow or settings.deny else None
        with open_listening(settings, operands, voice) as listener:
            admission = admission or _admission(settings)
            return _mode(settings)(Reception(settings, voice, environment, signals, taps, admission, listener))


def _admission(settings: Settings) -> Admission:
    from wirecat.cli.ncat.admission import Admission

    return Admission(settings)


def _mode(settings: Settings) -> Mode:
    """The mode's function; nothing of the others is imported."""
    if settings.proxy_type is not None:
        from wirecat.cli.ncat.proxy_server import serve_proxy

        return serve_proxy
    if settings.broker or settings.chat:
        from wirecat.cli.ncat.crowd import serve_crowd

        return serve_crowd
    if settings.keep_open:
        from wirecat.cli.ncat.keep_open import serve_many

        return serve_many
    from wirecat.cli.ncat.listen import serve_one

    return serve_one
