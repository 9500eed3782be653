"""Listen mode with one client: the first one gets in, nobody after it, and the program ends with it."""

from __future__ import annotations

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import NETWORK, SUCCESS, Ending
from wirecat.cli.ncat.session import converse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.cli.ncat.reception import Reception
    from wirecat.endpoints.listener import Listener
    from wirecat.stream import Stream


def serve_one(reception: Reception) -> int:
    """Serve the first client. Raises Ending, Signalled."""
    settings, voice = reception.settings, reception.voice
    stream = _accept(reception.listener)
    voice.tell(messages.connection_from(came_from(stream.peer)))
    denied = messages.limit_reached(0) if settings.max_conns == 0 else ""
    if not denied and not reception.admission.permits(stream):
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
    with reception.taps.connection(stream) as connection:
        if settings.command is not None:
            from wirecat.cli.ncat.exec import run_command

            run_command(connection, settings, voice)
        else:
            converse(connection, settings, voice, reception.environment)
    return SUCCESS


def came_from(peer: Address) -> str:
    """A client as messages name it; one on a Unix domain socket has no name."""
    if peer.port is None and not peer.path:
        return "a client on Unix domain socket"
    return messages.place(peer)


def _accept(listener: Listener) -> Stream:
    try:
        stream = listener.accept()
    except OSError as error:
        raise Ending(f"accept: {error.strerror or error}.", NETWORK) from error
    listener.close()  # nobody else gets in
    return stream
