"""Listen mode with one client: the first one gets in, nobody after it, and the program ends with it."""

from __future__ import annotations

from wirecat.cli.ending_of_signals import ending_of_signals
from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import NETWORK, SUCCESS, Ending
from wirecat.cli.ncat.listening import open_listening
from wirecat.cli.ncat.session import Taps, converse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.endpoints.listener import Listener
    from wirecat.stream import Stream


def serve_one(settings: Settings, operands: Operands, voice: Voice, environment: Environment) -> int:
    """Serve the first client. Raises Ending, Signalled."""
    from wirecat.cli.ncat.admission import Admission

    with ending_of_signals() as signals, Taps(settings, signals, voice) as taps:
        admission = Admission(settings)
        with open_listening(settings, operands, voice) as listener:
            stream = _accept(listener, settings)
            voice.tell(messages.connection_from(came_from(stream.peer)))
            denied = messages.limit_reached(0) if settings.max_conns == 0 else ""
            if not denied and not admission.permits(stream):
                denied = messages.NOT_ALLOWED
            if denied:
                voice.tell(denied)
                stream.close()
                return SUCCESS
            if settings.tls:
                from wirecat.cli.ncat.secure import shake_hands

                try:
                    shake_hands(stream, settings, voice)
                except BaseException:
                    stream.close()
                    raise
            with taps.connection(stream) as connection:
                if settings.command is not None:
                    from wirecat.cli.ncat.exec import run_command

                    run_command(connection, settings, voice)
                else:
                    converse(connection, settings, voice, environment)
    return SUCCESS


def came_from(peer: Address) -> str:
    """A client as messages name it; one on a Unix domain socket has no name."""
    if peer.port is None and not peer.path:
        return "a client on Unix domain socket"
    return messages.place(peer)


def _accept(listener: Listener, settings: Settings) -> Stream:
    try:
        stream = listener.accept()
    except OSError as error:
        raise Ending(f"accept: {error.strerror or error}.", NETWORK) from error
    listener.close()  # nobody else gets in
    return stream
