"""The broker and the chat: what one client says goes to all the others, and what we type to all of them."""

from __future__ import annotations

from wirecat.cli.ncat.keep_open import Input, input_piece
from wirecat.cli.ncat.many import client_number, serve_clients
from wirecat.server.room import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.ncat.reception import Reception
    from wirecat.cli.ncat.settings import Settings
    from wirecat.connection import Connection
    from wirecat.server.handlers.broker import Broker
    from wirecat.server.handlers.chat import Chat


def serve_crowd(reception: Reception) -> int:
    """Serve until a signal comes. Raises Ending, Signalled."""
    settings = reception.settings
    crowd = _chat() if settings.chat else _broker()
    hall = _Hall()
    one_way = settings.send_only or settings.recv_only
    say = _with_crlf(hall.say if one_way else crowd.say, settings)
    typed = Input(reception.environment, say, piece=input_piece(settings))

    def handler(connection: Connection) -> None:
        if not settings.recv_only:
            typed.start()
        if one_way:
            hall(connection)
        else:
            crowd(connection)

    try:
        return serve_clients(handler, reception, typed)
    finally:
        typed.stream.abort()


def _with_crlf(say: Callable[[bytes], None], settings: Settings) -> Callable[[bytes], None]:
    """``say``, with the line ends of what is typed translated where ``-C`` asks for it."""
    if not settings.crlf:
        return say
    from wirecat.wire.newline import NewlineTranslator

    translator = NewlineTranslator("crlf")
    return lambda data: say(translator.feed(data))


class _Hall:
    """With ``--send-only`` or ``--recv-only`` the clients do not hear each other, only what we say."""

    def __init__(self) -> None:
        self._room = Room()
        self.say = self._room.send

    def __call__(self, connection: Connection) -> None:
        with self._room.join(connection):
            while connection.receive() is not None:
                pass


def _chat() -> Chat:
    from wirecat.server.handlers.chat import Chat, octal

    # ncat numbers clients by their descriptors, escapes all that is not ASCII, and tells everybody who was there.
    return Chat(number=client_number, escape=octal, list_to_all=True)


def _broker() -> Broker:
    from wirecat.server.handlers.broker import Broker

    return Broker()
