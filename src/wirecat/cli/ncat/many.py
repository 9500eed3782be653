"""Listen mode with many clients: the library's server, and what each client passes before its mode's handler has it."""

from __future__ import annotations

import sys
import threading
from time import monotonic

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.endings import SUCCESS, Ending
from wirecat.cli.ncat.listen import came_from
from wirecat.cli.ncat.session import NETWORK_FAILURES, idle_ending, quit_time
from wirecat.errors import OutputClosed
from wirecat.events import Closed, Denied, Failed, Opened
from wirecat.options import REPLIES_A_SECOND
from wirecat.server.room import TOO_SLOW
from wirecat.server.server import serve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address
    from wirecat.cli.ncat.keep_open import Input
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.reception import Reception
    from wirecat.cli.ncat.session import Taps
    from wirecat.cli.ncat.settings import Settings
    from wirecat.connection import Connection
    from wirecat.events import Event
    from wirecat.server.server import Server

    Handler = Callable[[Connection], object]

MOST_CLIENTS = 100
_NO_TLS = "no TLS: "  # how the server begins the reason for a client whose handshake failed
# On Windows Ctrl-C does not end a wait. Elsewhere a signal that comes in the instant before one is seen only after it.
_SLICE = 0.2 if sys.platform == "win32" else 0.5


class Door:
    """The handler of the server: attaches the taps and calls the mode's own handler. A client that breaks off is no
    news to anybody."""

    def __init__(self, handler: Handler, settings: Settings, voice: Voice, taps: Taps) -> None:
        self._handler = handler
        self._settings = settings
        self._voice = voice
        self._taps = taps
        self.failure: BaseException | None = None
        self.over: Callable[[], None] = lambda: None

    def listening(self, addresses: tuple[Address, ...]) -> None:
        """Passed on to a handler that wants to know where it can be reached."""
        tell = getattr(self._handler, "listening", None)
        if callable(tell):
            tell(addresses)

    def __call__(self, connection: Connection) -> None:
        """Serve one client until its end."""
        if self._settings.chat:  # where the descriptor is told too
            self._voice.tell(messages.connection_from(came_from(connection.peer), client_number(connection)))
        try:
            self._taps.attach(connection)
            self._handler(connection)
        except Ending:
            return  # a handshake that failed ends this client alone
        except NETWORK_FAILURES:
            return
        except OutputClosed as error:  # whoever read what all clients send has gone
            self.failure = error
            self.over()


def client_number(connection: Connection) -> int:
    """The number of a client in a chat: its descriptor, as in ncat; that of the connection where all share a descriptor."""
    descriptor = connection.stream.fileno()
    return connection.id if descriptor < 0 else descriptor


def most_clients(settings: Settings) -> int:
    """How many clients there may be at once; with ``-m 0`` nobody gets in."""
    return MOST_CLIENTS if settings.max_conns is None else settings.max_conns


def serve_clients(handler: Handler, reception: Reception, typed: Input | None = None) -> int:
    """Serve until a signal comes. ``typed`` is our own input, where there is one: its end counts for ``-q``.

    Raises Ending, Signalled, and what ended it.
    """
    settings, voice, admission = reception.settings, reception.voice, reception.admission
    door = Door(handler, settings, voice, reception.taps)
    over = threading.Event()  # set by whichever client's thread finds that there is nothing left to do
    door.over = over.set
    if tell_when_over := getattr(handler, "when_over", None):
        tell_when_over(over.set)
    reception.signals.hold()
    server = serve(
        door, listener=reception.listener, dead_after=None, max_connections=most_clients(settings),
        allow=admission.allow, deny=admission.deny, on_event=lambda event: _tell(event, settings, voice),
        **_datagram_options(settings),
    )  # fmt: skip
    try:
        reception.signals.release()
        _wait(over, server, settings, typed)
    finally:
        server.stop(0)
    if door.failure is not None:
        raise door.failure
    return SUCCESS


def _datagram_options(settings: Settings) -> dict[str, Any]:
    """What the server does with peers that have no connection: a client more than the default allows replaces one.

    Programs answer each sender, so they are limited as ``serve exec:`` is. What clients say to each other and what we type
    are no answers.
    """
    if not settings.udp:
        return {}
    replies = None if settings.command is None else REPLIES_A_SECOND
    return {"udp_replies": replies, "evict": settings.max_conns is None}


def _wait(over: threading.Event, server: Server, settings: Settings, typed: Input | None) -> None:
    """Until it is over. Raises Ending when clients are there and nothing moved for too long, and with ``-q`` its time
    after the end of our input."""
    counts = settings.command is None and settings.proxy_type is None  # programs and servers behind may be silent
    idle = settings.idle_timeout if counts else None
    linger = quit_time(settings) if typed is not None else None
    shortest = min((time for time in (idle, linger) if time is not None), default=None)
    while not over.wait(_SLICE if shortest is None else max(0.01, min(shortest / 10, 0.2))):
        if shortest is None:
            continue
        silences = [client.idle for client in server.connections]
        if idle is not None and silences and min(silences) >= idle:
            raise idle_ending(idle, settings)
        ended_at = None if typed is None else typed.ended_at
        if linger is not None and ended_at is not None and monotonic() - ended_at >= linger:
            raise idle_ending(linger, settings)


def _tell(event: Event, settings: Settings, voice: Voice) -> None:
    """Who came, in the order they came in, and who was cut off."""
    if isinstance(event, Opened) and not settings.chat:
        voice.tell(messages.connection_from(came_from(event.peer)))
    elif isinstance(event, Denied):
        voice.tell(messages.connection_from(came_from(event.peer)))
        if event.reason.startswith(_NO_TLS):
            voice.tell(messages.tls_failed(event.peer.host or "localhost", event.reason.removeprefix(_NO_TLS)))
        else:
            voice.tell(f"New connection denied: {event.reason}")
    elif isinstance(event, Closed) and event.reason == TOO_SLOW:
        voice.tell(messages.too_slow(came_from(event.peer)))
    elif isinstance(event, Failed):
        voice.debug(event.error)
